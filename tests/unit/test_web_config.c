// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "web_config.h"

#define HASH	"$2y$04$abcdefghijklmnopqrstuu4T826PRnz0Hu6YlprUuxkZxOOj5Fw5S"

static struct web_config config;
static char path[64], why[400];

static int begin(void **state)
{
	int fd;

	strcpy(path, "/tmp/synfin-web-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int end(void **state)
{
	web_config_deinit(&config);
	return unlink(path);
}

static int read_text(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
	web_config_deinit(&config);
	why[0] = 0;
	return web_config_read(path, &config, why, sizeof(why));
}

static void assert_wrong(const char *text, const char *told)
{
	assert_int_equal(read_text(text), -EINVAL);
	assert_string_equal(why, told);
}

static void an_empty_file_asks_for_nothing(void **state)
{
	assert_int_equal(read_text(""), 0);
	assert_int_equal(read_text("# nothing\n"), 0);
	assert_int_equal(read_text("basic_auth_users:\nhttp_server_config:\n"), 0);
	assert_null(config.cert);
	assert_int_equal(config.nr_users, 0);
}

static void users_and_headers_are_taken(void **state)
{
	assert_int_equal(read_text("basic_auth_users:\n  ann: " HASH "\n  'b o b': '" HASH "'\n"
				   "http_server_config:\n  http2: true\n  headers:\n"
				   "    X-Frame-Options: deny\n"), 0);
	assert_int_equal(config.nr_users, 2);
	assert_string_equal(config.users[0].name, "ann");
	assert_string_equal(config.users[0].value, HASH);
	assert_string_equal(config.users[1].name, "b o b");
	assert_int_equal(config.nr_headers, 1);
	assert_string_equal(config.headers[0].value, "deny");
}

static void what_is_wrong_is_told_with_its_line_and_key(void **state)
{
	assert_wrong("tls_server_config:\n  cert_file: a\n  key_fle: b\n",
		     "line 3: tls_server_config.key_fle: no such key, or one that synfin has not");
	assert_wrong("\nrate_limit:\n  burst: 1\n",
		     "line 2: rate_limit: no such key, or one that synfin has not");
	assert_wrong("tls_server_config:\n  cert_file: a\n",
		     "line 2: tls_server_config: it takes cert_file and key_file");
	assert_wrong("tls_server_config:\n  cert_file: [a]\n", "line 2: cert_file: not a text");
	assert_wrong("tls_server_config:\n  min_version: TLS9\n",
		     "line 2: min_version: write TLS10, TLS11, TLS12 or TLS13");
	assert_wrong("tls_server_config:\n  client_auth_type: Maybe\n",
		     "line 2: client_auth_type: write NoClientCert, VerifyClientCertIfGiven or "
		     "RequireAndVerifyClientCert");
	assert_wrong("tls_server_config: {cert_file: a, key_file: b, client_ca_file: c}\n",
		     "line 1: tls_server_config: client_ca_file and client_auth_type go together");
	assert_wrong("basic_auth_users:\n  ann: secret\n",
		     "line 2: basic_auth_users: what stands for ann is no bcrypt hash "
		     "(htpasswd -nBC 10 \"\")");
	assert_wrong("basic_auth_users: ann\n",
		     "line 1: basic_auth_users: not a mapping of keys to values");
	assert_wrong("- a\n", "line 1: the file: not a mapping of keys to values");
	assert_wrong("http_server_config:\n  headers:\n    X Y: z\n",
		     "line 3: headers: X Y is no header");
}

static void what_is_no_yaml_is_told_with_its_line(void **state)
{
	assert_int_equal(read_text("a: b\nc: [d\n"), -EINVAL);
	assert_memory_equal(why, "line ", 5);
	assert_non_null(strstr(why, ": not YAML: "));
	assert_int_equal(read_text("\xff\xfe\n"), -EINVAL);
	assert_int_equal(read_text("a:\t\n\t- b"), -EINVAL);
}

static void files_that_are_not_there_are_told_relative_to_it(void **state)
{
	assert_wrong("tls_server_config:\n  cert_file: no/such\n  key_file: /no/such\n",
		     "cert_file: cannot read /tmp/no/such: No such file or directory");
	web_config_deinit(&config);
	assert_int_equal(web_config_read("/no/such", &config, why, sizeof(why)), -EINVAL);
	assert_string_equal(why, "cannot read it: No such file or directory");
}

static void what_is_no_certificate_is_told(void **state)
{
	char text[300];

	snprintf(text, sizeof(text), "tls_server_config:\n  cert_file: %s\n  key_file: %s\n",
		 path, path);
	assert_int_equal(read_text(text), -EINVAL);
	assert_non_null(strstr(why, "cert_file /tmp/"));
	assert_null(strchr(why, '\n'));
}

static void a_change_is_seen_in_the_stamp(void **state)
{
	unsigned long long before, after;

	read_text("");
	before = web_config_stamp(path, &config);
	assert_int_equal(web_config_stamp(path, &config), before);
	read_text("#\n");
	after = web_config_stamp(path, &config);
	assert_true(after != before);
	assert_true(web_config_stamp("/no/such", &config) != after);
}

/* What another process does while the key is being read: it is a FIFO. */
static void change_meanwhile(const char *fifo)
{
	struct timespec before[2];
	struct stat st;
	int fd;

	if (stat(fifo, &st))
		_exit(1);
	before[0] = st.st_atim;
	before[1] = st.st_mtim;
	fd = open(fifo, O_WRONLY);	/* the reader is there */
	if (fd < 0 || truncate(path, 0) || write(fd, "key", 3) != 3 || futimens(fd, before))
		_exit(1);
	_exit(0);
}

static void what_changes_while_it_is_read_is_seen_afterwards(void **state)
{
	char fifo[80], text[300];
	int status;
	pid_t pid;

	assert_int_equal(read_text("basic_auth_users:\n"), 0);
	assert_true(config.stamp == web_config_stamp(path, &config));
	snprintf(fifo, sizeof(fifo), "%s.key", path);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	pid = fork();
	if (!pid)
		change_meanwhile(fifo);
	snprintf(text, sizeof(text), "tls_server_config: { cert_file: /dev/null, key_file: %s }\n",
		 fifo);
	assert_int_equal(read_text(text), -EINVAL);	/* neither certificate nor key */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(config.stamp != web_config_stamp(path, &config));
	unlink(fifo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_empty_file_asks_for_nothing, begin, end),
		cmocka_unit_test_setup_teardown(users_and_headers_are_taken, begin, end),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_told_with_its_line_and_key,
						begin, end),
		cmocka_unit_test_setup_teardown(what_is_no_yaml_is_told_with_its_line, begin, end),
		cmocka_unit_test_setup_teardown(files_that_are_not_there_are_told_relative_to_it,
						begin, end),
		cmocka_unit_test_setup_teardown(what_is_no_certificate_is_told, begin, end),
		cmocka_unit_test_setup_teardown(a_change_is_seen_in_the_stamp, begin, end),
		cmocka_unit_test_setup_teardown(what_changes_while_it_is_read_is_seen_afterwards,
						begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

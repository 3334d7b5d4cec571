// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes to the HTTP server, in one piece or, where the first byte says so, in
 * two: what comes back, if anything, is HTTP; metrics are for GET and HEAD, and where
 * there are users, for nobody whose password is wrong, as here everybody's is.
 */
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fuzz.h"
#include "http.h"
#include "log.h"

#define TURNS		8
#define PASSWORD_MS	5	/* bcrypt takes longer now and then: then he has gone before the answer */
#define NSEC_PER_SEC	1000000000ull

/* A server behind a socket that only this process knows. */
struct place {
	struct http *http;
	struct sockaddr_un at;
	socklen_t at_len;
	int watched;		/* the last that it asked to watch: with users, their thread's */
};

static const char users[] = "basic_auth_users:\n"
	"  me: $2y$04$abcdefghijklmnopqrstuu4T826PRnz0Hu6YlprUuxkZxOOj5Fw5S\n";

static uint64_t now_ns = NSEC_PER_SEC;

static void render(void *ctx, struct text *t, enum exposition_format format)
{
	text_str(t, "synfin_one 1\n");
}

static int watch(void *ctx, int fd)
{
	struct place *p = ctx;

	if (p->watched < 0)
		p->watched = fd;
	return 0;
}

static void open_place(struct place *p, const char *web_config)
{
	const struct http_config config = {
		.path = "/metrics", .max_requests = 2, .render = render, .watch = watch, .ctx = p,
		.web_config_path = web_config,
	};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	p->watched = -1;
	p->at.sun_family = AF_UNIX;
	p->at_len = sizeof(p->at);
	/* Autobind: an abstract name that is free. */
	CLAIM(fd >= 0 && !bind(fd, (struct sockaddr *)&p->at, sizeof(sa_family_t)));
	CLAIM(!getsockname(fd, (struct sockaddr *)&p->at, &p->at_len) && !listen(fd, 8));
	CLAIM(!http_create(&config, &p->http) && !http_serve(p->http, fd));
}

/* 0: everybody may; 1: nobody, whatever he says. */
static struct place *place_of(unsigned int number)
{
	static struct place places[2];
	char path[] = "/tmp/synfin-fuzz-XXXXXX";
	int fd;

	if (places[0].http)
		return &places[number];
	log_level = LOG_QUIET;
	fd = mkstemp(path);
	CLAIM(fd >= 0 && write(fd, users, strlen(users)) == (ssize_t)strlen(users));
	open_place(&places[0], NULL);
	open_place(&places[1], path);
	unlink(path);
	close(fd);
	return &places[number];
}

static void turn(const struct place *p)
{
	for (int i = 0; i < TURNS; i++)
		http_turn(p->http, now_ns += 1000);
}

/* What was answered so far, a string. */
static void read_answer(int fd, char *buf, size_t size)
{
	size_t len = strlen(buf);
	ssize_t n;

	while (len < size - 1 && (n = recv(fd, buf + len, size - 1 - len, MSG_DONTWAIT)) > 0)
		len += n;
	buf[len] = 0;
}

static void check(const uint8_t *request, size_t len, const char *answer, bool has_users)
{
	int status;

	if (!*answer)
		return;
	CLAIM(sscanf(answer, "HTTP/1.%*1[01] %3d ", &status) == 1);
	CLAIM(status == 100 || status == 200 || (status >= 400 && status < 600));
	if (status != 200)
		return;
	CLAIM(!has_users);
	CLAIM(memmem(request, len, "GET", 3) || memmem(request, len, "HEAD", 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char answer[1 << 16];
	unsigned int how = size ? data[0] - '0' : 0;
	struct place *p = place_of(how & 1);
	size_t len = size ? size - 1 : 0, first = how & 2 ? len / 2 : len;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char *request = strndup((const char *)data + !!size, len);

	CLAIM(request && fd >= 0 && !connect(fd, (struct sockaddr *)&p->at, p->at_len));
	answer[0] = 0;
	(void)!send(fd, data + 1, first, MSG_DONTWAIT | MSG_NOSIGNAL);
	turn(p);
	if (first < len)
		(void)!send(fd, data + 1 + first, len - first, MSG_DONTWAIT | MSG_NOSIGNAL);
	turn(p);
	read_answer(fd, answer, sizeof(answer));
	if (how & 1 && !*answer && strcasestr(request, "authorization")) {
		poll(&(struct pollfd){ .fd = p->watched, .events = POLLIN }, 1, PASSWORD_MS);
		turn(p);
		read_answer(fd, answer, sizeof(answer));
	}
	check(data + !!size, len, answer, how & 1);
	close(fd);
	turn(p);
	free(request);
	return 0;
}

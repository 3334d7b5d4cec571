// SPDX-License-Identifier: GPL-2.0-or-later
#include "web_config.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#include "cleanup.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

struct reader {
	yaml_document_t doc;
	struct web_config *c;
	const char *path;
	char *why;
	size_t size;
	const char *min_version, *max_version;
};

/* ---- errors ---- */

__attribute__((format(printf, 3, 4)))
static int wrong(struct reader *r, const yaml_node_t *node, const char *fmt, ...)
{
	int n = snprintf(r->why, r->size, "line %zu: ", node->start_mark.line + 1);
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->why + n, r->size - n, fmt, args);
	va_end(args);
	return -EINVAL;
}

__attribute__((format(printf, 2, 3)))
static int wrong_file(struct reader *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->why, r->size, fmt, args);
	va_end(args);
	return -EINVAL;
}

/* ---- nodes ---- */

static const char *text_of(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

/* A key that may stand in a mapping, and what reads its value. */
struct key {
	const char *name;
	int (*read)(struct reader *r, const struct key *key, yaml_node_t *value);
};

static const struct key *find_key(const struct key *keys, const char *name)
{
	for (; keys->name; keys++) {
		if (!strcmp(keys->name, name))
			return keys;
	}
	return NULL;
}

/* what: the mapping's own key, "" for the document. */
static int read_mapping(struct reader *r, const char *what, yaml_node_t *node,
			const struct key *keys)
{
	int err = 0;

	/* An empty value is an empty mapping. */
	if (node->type == YAML_SCALAR_NODE && !node->data.scalar.length)
		return 0;
	if (node->type != YAML_MAPPING_NODE)
		return wrong(r, node, "%s: not a mapping of keys to values",
			     *what ? what : "the file");
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start;
	     p < node->data.mapping.pairs.top && !err; p++) {
		yaml_node_t *name = yaml_document_get_node(&r->doc, p->key);
		const char *text = text_of(name);
		const struct key *key = text ? find_key(keys, text) : NULL;

		if (!key)
			return wrong(r, name, "%s%s%s: no such key, or one that synfin has not",
				     what, *what ? "." : "", text ? text : "(no text)");
		err = key->read(r, key, yaml_document_get_node(&r->doc, p->value));
	}
	return err;
}

static int copy(struct reader *r, const char *text, char **ret)
{
	free(*ret);
	*ret = strdup(text);
	return *ret ? 0 : wrong_file(r, "no memory");
}

static int not_text(struct reader *r, const struct key *key, const yaml_node_t *node)
{
	return wrong(r, node, "%s: not a text", key->name);
}

/* ---- tls_server_config ---- */

/* As the others do, relative to where the file is. */
static int read_path(struct reader *r, const struct key *key, yaml_node_t *node, char **ret)
{
	const char *text = text_of(node);
	char *dir, joined[4200];
	int err;

	if (!text || !*text)
		return not_text(r, key, node);
	if (*text == '/')
		return copy(r, text, ret);
	dir = strdup(r->path);
	if (!dir)
		return wrong_file(r, "no memory");
	err = snprintf(joined, sizeof(joined), "%s/%s", dirname(dir), text) >= (int)sizeof(joined);
	free(dir);
	return err ? wrong(r, node, "%s: too long", key->name) : copy(r, joined, ret);
}

static int read_cert_file(struct reader *r, const struct key *key, yaml_node_t *node)
{
	return read_path(r, key, node, &r->c->cert_file);
}

static int read_key_file(struct reader *r, const struct key *key, yaml_node_t *node)
{
	return read_path(r, key, node, &r->c->key_file);
}

static int read_client_ca_file(struct reader *r, const struct key *key, yaml_node_t *node)
{
	return read_path(r, key, node, &r->c->client_ca_file);
}

static int read_client_auth_type(struct reader *r, const struct key *key, yaml_node_t *node)
{
	static const char *const types[] = {
		[CLIENT_AUTH_NONE] = "NoClientCert",
		[CLIENT_AUTH_IF_GIVEN] = "VerifyClientCertIfGiven",
		[CLIENT_AUTH_REQUIRED] = "RequireAndVerifyClientCert",
	};
	const char *text = text_of(node);

	for (unsigned int i = 0; text && i < ARRAY_SIZE(types); i++) {
		if (!strcmp(text, types[i])) {
			r->c->client_auth = i;
			return 0;
		}
	}
	return wrong(r, node, "%s: write NoClientCert, VerifyClientCertIfGiven or "
		     "RequireAndVerifyClientCert", key->name);
}

static const char *const versions[] = { "TLS10", "TLS11", "TLS12", "TLS13" };

static int read_version(struct reader *r, const struct key *key, yaml_node_t *node)
{
	const char *text = text_of(node);

	for (unsigned int i = 0; text && i < ARRAY_SIZE(versions); i++) {
		if (strcmp(text, versions[i]))
			continue;
		if (!strcmp(key->name, "min_version"))
			r->min_version = versions[i];
		else
			r->max_version = versions[i];
		return 0;
	}
	return wrong(r, node, "%s: write TLS10, TLS11, TLS12 or TLS13", key->name);
}

static int read_tls(struct reader *r, const struct key *key, yaml_node_t *node)
{
	static const struct key keys[] = {
		{ "cert_file", read_cert_file }, { "key_file", read_key_file },
		{ "client_ca_file", read_client_ca_file },
		{ "client_auth_type", read_client_auth_type },
		{ "min_version", read_version }, { "max_version", read_version }, {},
	};
	int err = read_mapping(r, key->name, node, keys);

	if (err)
		return err;
	if (!r->c->cert_file || !r->c->key_file)
		return wrong(r, node, "%s: it takes cert_file and key_file", key->name);
	if (!r->c->client_ca_file != !r->c->client_auth)
		return wrong(r, node, "%s: client_ca_file and client_auth_type go together",
			     key->name);
	return 0;
}

/* ---- the others ---- */

/* Texts under names of their own. */
static int read_pairs(struct reader *r, const char *what, yaml_node_t *node,
		      struct web_pair *pairs, unsigned int *nr, unsigned int max)
{
	if (node->type == YAML_SCALAR_NODE && !node->data.scalar.length)
		return 0;
	if (node->type != YAML_MAPPING_NODE)
		return wrong(r, node, "%s: not a mapping of keys to values", what);
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start;
	     p < node->data.mapping.pairs.top; p++) {
		yaml_node_t *name = yaml_document_get_node(&r->doc, p->key);
		yaml_node_t *value = yaml_document_get_node(&r->doc, p->value);

		if (!text_of(name) || !text_of(value))
			return wrong(r, name, "%s: not a text", what);
		if (*nr == max)
			return wrong(r, name, "%s: more than %u", what, max);
		/* Counted with one of them only, too: both are given back. */
		pairs[*nr] = (struct web_pair){ strdup(text_of(name)), strdup(text_of(value)) };
		++*nr;
		if (!pairs[*nr - 1].name || !pairs[*nr - 1].value)
			return wrong_file(r, "no memory");
	}
	return 0;
}

static bool is_bcrypt(const char *hash)
{
	return strlen(hash) == 60 && hash[0] == '$' && hash[1] == '2' && strchr("aby", hash[2]) &&
	       hash[3] == '$';
}

static int read_users(struct reader *r, const struct key *key, yaml_node_t *node)
{
	int err = read_pairs(r, key->name, node, r->c->users, &r->c->nr_users, WEB_USERS_MAX);

	for (unsigned int i = 0; i < r->c->nr_users && !err; i++) {
		if (!is_bcrypt(r->c->users[i].value))
			err = wrong(r, node, "%s: what stands for %s is no bcrypt hash "
				    "(htpasswd -nBC 10 \"\")", key->name, r->c->users[i].name);
	}
	return err;
}

static bool is_header(const struct web_pair *h)
{
	return *h->name && h->name[strspn(h->name, "abcdefghijklmnopqrstuvwxyz"
						   "ABCDEFGHIJKLMNOPQRSTUVWXYZ-")] == 0 &&
	       !strpbrk(h->value, "\r\n");
}

static int read_headers(struct reader *r, const struct key *key, yaml_node_t *node)
{
	int err = read_pairs(r, key->name, node, r->c->headers, &r->c->nr_headers,
			     WEB_HEADERS_MAX);

	for (unsigned int i = 0; i < r->c->nr_headers && !err; i++) {
		if (!is_header(&r->c->headers[i]))
			err = wrong(r, node, "%s: %s is no header", key->name,
				    r->c->headers[i].name);
	}
	return err;
}

/* HTTP/1.1 is what there is, whether HTTP/2 may be or not. */
static int read_http2(struct reader *r, const struct key *key, yaml_node_t *node)
{
	return text_of(node) ? 0 : not_text(r, key, node);
}

static int read_http(struct reader *r, const struct key *key, yaml_node_t *node)
{
	static const struct key keys[] = {
		{ "http2", read_http2 }, { "headers", read_headers }, {},
	};

	return read_mapping(r, key->name, node, keys);
}

/* ---- the files ---- */

static int load_file(struct reader *r, const char *key, const char *path, char **ret)
{
	FILE *file = fopen(path, "re");
	char *whole;
	size_t len = 0;
	int err = 0;

	if (!file)
		return wrong_file(r, "%s: cannot read %s: %s", key, path, strerror(errno));
	*ret = calloc(1, WEB_FILE_MAX);
	if (*ret)
		len = fread(*ret, 1, WEB_FILE_MAX - 1, file);
	if (!*ret || ferror(file))
		err = wrong_file(r, "%s: cannot read %s: %s", key, path, strerror(errno));
	else if (len == WEB_FILE_MAX - 1)
		err = wrong_file(r, "%s: %s is more than 1 MB", key, path);
	fclose(file);
	whole = err ? NULL : realloc(*ret, len + 1);
	if (whole)	/* else it keeps the room that it does not need */
		*ret = whole;
	return err;
}

static gnutls_datum_t datum(char *text)
{
	return (gnutls_datum_t){ (unsigned char *)text, strlen(text) };
}

/* Here it can be told what is wrong; libmicrohttpd would only fail. */
static int try_certificates(struct reader *r)
{
	gnutls_datum_t cert = datum(r->c->cert), key = datum(r->c->key), ca = {};
	gnutls_certificate_credentials_t credentials;
	int err;

	if (gnutls_certificate_allocate_credentials(&credentials))
		return wrong_file(r, "no memory");
	err = gnutls_certificate_set_x509_key_mem(credentials, &cert, &key, GNUTLS_X509_FMT_PEM);
	if (err < 0) {
		err = wrong_file(r, "cert_file %s and key_file %s: %s", r->c->cert_file,
				 r->c->key_file, gnutls_strerror(err));
	} else if (r->c->client_ca) {
		ca = datum(r->c->client_ca);
		err = gnutls_certificate_set_x509_trust_mem(credentials, &ca, GNUTLS_X509_FMT_PEM);
		err = err > 0 ? 0 : wrong_file(r, "client_ca_file %s: %s", r->c->client_ca_file,
					       err ? gnutls_strerror(err) : "no certificate");
	}
	gnutls_certificate_free_credentials(credentials);
	return err < 0 ? err : 0;
}

/* "NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3" */
static int set_priorities(struct reader *r)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "NORMAL:-VERS-ALL");
	const char *min = r->min_version ? r->min_version : "TLS12";
	const char *max = r->max_version ? r->max_version : "TLS13";

	for (unsigned int i = 0; i < ARRAY_SIZE(versions); i++) {
		if (strcmp(versions[i], min) >= 0 && strcmp(versions[i], max) <= 0)
			n += snprintf(text + n, sizeof(text) - n, ":+VERS-TLS1.%u", i);
	}
	if (strcmp(min, max) > 0)
		return wrong_file(r, "min_version is above max_version");
	return copy(r, text, &r->c->priorities);
}

static int load_files(struct reader *r)
{
	struct web_config *c = r->c;
	int err;

	if (!c->cert_file)
		return 0;
	err = load_file(r, "cert_file", c->cert_file, &c->cert);
	if (!err)
		err = load_file(r, "key_file", c->key_file, &c->key);
	if (!err && c->client_ca_file)
		err = load_file(r, "client_ca_file", c->client_ca_file, &c->client_ca);
	if (!err)
		err = try_certificates(r);
	return err ? err : set_priorities(r);
}

static int read_document(struct reader *r, FILE *file)
{
	static const struct key keys[] = {
		{ "tls_server_config", read_tls }, { "basic_auth_users", read_users },
		{ "http_server_config", read_http }, {},
	};
	yaml_parser_t parser;
	yaml_node_t *root;
	int err = 0;

	if (!yaml_parser_initialize(&parser))
		return wrong_file(r, "no memory");
	yaml_parser_set_input_file(&parser, file);
	if (!yaml_parser_load(&parser, &r->doc)) {
		err = wrong_file(r, "line %zu: not YAML: %s", parser.problem_mark.line + 1,
				 parser.problem ? parser.problem : "it cannot be read");
		yaml_parser_delete(&parser);
		return err;
	}
	root = yaml_document_get_root_node(&r->doc);
	if (root)	/* an empty file asks for nothing */
		err = read_mapping(r, "", root, keys);
	yaml_document_delete(&r->doc);
	yaml_parser_delete(&parser);
	return err;
}

/* Which file it is, how long, and when it was changed; mixed as FNV-1a does. */
static unsigned long long mix(unsigned long long stamp, const char *path)
{
	struct stat st = {};
	const unsigned long long parts[] = {
		path && !stat(path, &st), st.st_ino, st.st_size, st.st_mtim.tv_sec,
		st.st_mtim.tv_nsec,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(parts); i++)
		stamp = (stamp ^ parts[i]) * 0x100000001b3ull;
	return stamp;
}

static unsigned long long stamp_of(const char *path)
{
	return mix(0xcbf29ce484222325ull, path);
}

static unsigned long long mix_named(unsigned long long stamp, const struct web_config *c)
{
	stamp = mix(stamp, c->cert_file);
	stamp = mix(stamp, c->key_file);
	return mix(stamp, c->client_ca_file);
}

/* Each is looked at before it is read: what is changed meanwhile differs from the stamp. */
int web_config_read(const char *path, struct web_config *ret, char *why, size_t size)
{
	struct reader r = { .c = ret, .path = path, .why = why, .size = size };
	unsigned long long stamp = stamp_of(path);
	FILE *file = fopen(path, "re");
	int err;

	*ret = (struct web_config){};
	if (file) {
		err = read_document(&r, file);
		fclose(file);
	} else {
		err = wrong_file(&r, "cannot read it: %s", strerror(errno));
	}
	ret->stamp = mix_named(stamp, ret);
	return err ? err : load_files(&r);
}

static void free_pairs(struct web_pair *pairs, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		free(pairs[i].name);
		free(pairs[i].value);
	}
}

void web_config_deinit(struct web_config *c)
{
	free(c->cert_file);
	free(c->key_file);
	free(c->client_ca_file);
	free(c->cert);
	free(c->key);
	free(c->client_ca);
	free(c->priorities);
	free_pairs(c->users, c->nr_users);
	free_pairs(c->headers, c->nr_headers);
	*c = (struct web_config){};
}

unsigned long long web_config_stamp(const char *path, const struct web_config *c)
{
	return mix_named(stamp_of(path), c);
}

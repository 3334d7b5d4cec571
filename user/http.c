// SPDX-License-Identifier: GPL-2.0-or-later
#include "http.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth.h"
#include "cleanup.h"
#include "cli.h"
#include "gzip.h"
#include "log.h"
#include "negotiate.h"
#include "revision.h"
#include "web_config.h"

#define CONNECTIONS_MAX		128	/* of each listening socket */
#define CROWD			(CONNECTIONS_MAX * 3 / 4)
#define HEADERS_MAX		(16 * 1024)	/* bytes of memory for each connection */
#define NSEC_PER_SEC		1000000000ull

/* From its first byte to the last of the answer; between requests; that in a crowd. */
#define REQUEST_NS		(10 * NSEC_PER_SEC)
#define IDLE_NS			(120 * NSEC_PER_SEC)
#define IDLE_IN_CROWD_NS	(1 * NSEC_PER_SEC)

/* The web config, and whether clients have hung up, is looked at this often. */
#define LOOK_NS			(1 * NSEC_PER_SEC)
#define WHY_MAX			600

/* A connection. */
struct peer {
	struct peer *next, **link;
	struct server *server;
	struct MHD_Connection *conn;
	int fd;
	bool suspended;		/* its password is being worked out */
	bool busy;		/* a request is being answered */
	uint64_t since_ns;	/* that, or the opposite */
};

/* A listening socket. */
struct server {
	struct http *http;
	struct MHD_Daemon *daemon;
	struct peer *peers;
	unsigned int nr_peers;
	int fd;			/* the daemon's, until it is stopped */
};

struct http {
	struct http_config config;
	struct server servers[LISTEN_MAX];
	unsigned int nr_servers;
	unsigned int requests;	/* being answered */
	uint64_t now_ns;
	char *buf;		/* of EXPOSITION_MAX bytes */
	struct web_config web;
	struct web_config failed;	/* what was wrong later: whose files are watched then */
	bool has_failed;
	struct auth *auth;	/* NULL: none was ever needed */
	unsigned long long stamp;	/* of the web config's files, as they were read last */
	uint64_t looked_ns;
};

/* ---- answers ---- */

static enum MHD_Result answer(const struct http *h, struct MHD_Connection *conn,
			      unsigned int status, struct MHD_Response *response)
{
	enum MHD_Result ret;

	if (!response)
		return MHD_NO;	/* no memory: closes the connection */
	for (unsigned int i = 0; i < h->web.nr_headers; i++)
		MHD_add_response_header(response, h->web.headers[i].name, h->web.headers[i].value);
	ret = MHD_queue_response(conn, status, response);
	MHD_destroy_response(response);
	return ret;
}

static enum MHD_Result answer_text(const struct http *h, struct MHD_Connection *conn,
				   unsigned int status, const char *type, const char *text)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY);

	if (response) {
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
		if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
			MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
		if (status == MHD_HTTP_UNAUTHORIZED)
			MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
						"Basic realm=\"synfin\", charset=\"UTF-8\"");
	}
	return answer(h, conn, status, response);
}

#define PLAIN	"text/plain; charset=utf-8"

static const char *header_of(struct MHD_Connection *conn, const char *name)
{
	return MHD_lookup_connection_value(conn, MHD_HEADER_KIND, name);
}

static struct MHD_Response *pack(const char *text, size_t len, bool gzip)
{
	struct MHD_Response *response;
	char *packed;

	if (!gzip)
		return MHD_create_response_from_buffer(len, (void *)text, MHD_RESPMEM_MUST_COPY);
	if (gzip_compress(text, len, &packed, &len))
		return NULL;
	response = MHD_create_response_from_buffer(len, packed, MHD_RESPMEM_MUST_FREE);
	if (response)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	else
		free(packed);
	return response;
}

static enum MHD_Result answer_metrics(struct http *h, struct MHD_Connection *conn)
{
	const char *accept = header_of(conn, MHD_HTTP_HEADER_ACCEPT);
	enum exposition_format format = negotiate_format(accept);
	struct text t = text_into(h->buf, EXPOSITION_MAX);
	struct MHD_Response *response;

	h->config.render(h->config.ctx, &t, format);
	if (t.full)
		return answer_text(h, conn, MHD_HTTP_INTERNAL_SERVER_ERROR, PLAIN,
				   "more metrics than there is room for\n");
	response = pack(h->buf, t.p - h->buf,
			negotiate_gzip(header_of(conn, MHD_HTTP_HEADER_ACCEPT_ENCODING)));
	if (response) {
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
					negotiate_content_type(accept, format));
		MHD_add_response_header(response, MHD_HTTP_HEADER_VARY,
					"Accept, Accept-Encoding");
	}
	return answer(h, conn, MHD_HTTP_OK, response);
}

static void text_html(struct text *t, const char *s)
{
	for (; *s; s++) {
		if (strchr("&<>\"'", *s)) {
			text_str(t, "&#");
			text_uint(t, (unsigned char)*s);
			text_char(t, ';');
		} else {
			text_char(t, *s);
		}
	}
}

static void link_to(struct text *t, const char *path, const char *what)
{
	text_str(t, "<dt><a href=\"");
	text_html(t, path);
	text_str(t, "\">");
	text_html(t, path);
	text_str(t, "</a></dt><dd>");
	text_str(t, what);
	text_str(t, "</dd>\n");
}

static const char page_begin[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<title>synfin</title>\n<style>\n"
	":root { color-scheme: light dark; }\n"
	"body { font: 16px/1.5 system-ui, sans-serif; max-width: 40em; margin: 4em auto;"
	" padding: 0 1em; }\n"
	"h1 { margin: 0; } h1 small, dd, footer { opacity: .7; }\n"
	"h1 small { font-size: 50%; font-weight: normal; }\n"
	"dl { display: grid; grid-template-columns: max-content 1fr; gap: .4em 2em;"
	" margin: 2em 0; }\n"
	"dd { margin: 0; } dt { font-family: ui-monospace, monospace; }\n"
	"</style>\n</head>\n<body>\n"
	"<h1>synfin <small>" SYNFIN_VERSION " " SYNFIN_REVISION "</small></h1>\n"
	"<p>Traces the kernel's TCP states: how connections open, live and end.</p>\n<dl>\n";

static enum MHD_Result answer_landing_page(const struct http *h, struct MHD_Connection *conn)
{
	char page[4096];
	struct text t = text_into(page, sizeof(page) - 1);

	text_str(&t, page_begin);
	link_to(&t, h->config.path, "metrics, for Prometheus: classic text or OpenMetrics");
	link_to(&t, "/-/healthy", "whether it runs");
	link_to(&t, "/-/ready", "whether it traces");
	text_str(&t, "</dl>\n<footer>What each metric means stands in its HELP line, in "
		     "docs/metrics.md and in synfin(8).</footer>\n</body>\n</html>\n");
	*t.p = 0;
	return answer_text(h, conn, MHD_HTTP_OK, "text/html; charset=utf-8", page);
}

static bool is_too_many(const struct http *h)
{
	return h->config.max_requests && h->requests > h->config.max_requests;
}

/* It is served only while it traces, so it is ready whenever it answers. */
static enum MHD_Result answer_path(struct http *h, struct MHD_Connection *conn, const char *path)
{
	if (!strcmp(path, h->config.path)) {
		if (is_too_many(h))
			return answer_text(h, conn, MHD_HTTP_SERVICE_UNAVAILABLE, PLAIN,
					   "too many requests at a time (--web.max-requests)\n");
		return answer_metrics(h, conn);
	}
	if (!strcmp(path, "/"))
		return answer_landing_page(h, conn);
	if (!strcmp(path, "/-/healthy"))
		return answer_text(h, conn, MHD_HTTP_OK, PLAIN, "synfin is healthy\n");
	if (!strcmp(path, "/-/ready"))
		return answer_text(h, conn, MHD_HTTP_OK, PLAIN, "synfin is ready\n");
	return answer_text(h, conn, MHD_HTTP_NOT_FOUND, PLAIN, "there is nothing here; see /\n");
}

/* ---- who asks ---- */

static const char *hash_of(const struct web_config *web, const char *user)
{
	for (unsigned int i = 0; i < web->nr_users; i++) {
		if (!strcmp(web->users[i].name, user))
			return web->users[i].value;
	}
	return NULL;
}

static enum auth_answer check_password(struct http *h, struct MHD_Connection *conn,
				       struct peer *p)
{
	char *password = NULL, *user = MHD_basic_auth_get_username_password(conn, &password);
	enum auth_answer ret = AUTH_WRONG;

	if (user && password)
		ret = auth_check(h->auth, hash_of(&h->web, user), password, p);
	if (password)
		explicit_bzero(password, strlen(password));
	MHD_free(password);
	MHD_free(user);
	return ret;
}

/* libmicrohttpd has asked for a certificate; what came is judged here. */
static bool has_good_certificate(const struct http *h, struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info;
	unsigned int nr = 0, status = 0;

	if (!h->web.client_auth)
		return true;
	info = MHD_get_connection_info(conn, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (!info)
		return false;
	if (!gnutls_certificate_get_peers(info->tls_session, &nr) || !nr)
		return h->web.client_auth == CLIENT_AUTH_IF_GIVEN;
	return !gnutls_certificate_verify_peers2(info->tls_session, &status) && !status;
}

/* The answer, unless he may have what he asks for; *wait: it comes later. */
static unsigned int refuse(struct http *h, struct MHD_Connection *conn, struct peer *p, bool *wait)
{
	*wait = false;
	if (!has_good_certificate(h, conn))
		return MHD_HTTP_FORBIDDEN;
	if (!h->web.nr_users)
		return 0;
	switch (check_password(h, conn, p)) {
	case AUTH_RIGHT:
		return 0;
	case AUTH_WRONG:
		return MHD_HTTP_UNAUTHORIZED;
	case AUTH_BUSY:
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	case AUTH_PENDING:
		*wait = true;
		break;
	}
	return 0;
}

static enum MHD_Result answer_refused(const struct http *h, struct MHD_Connection *conn,
				      unsigned int status)
{
	switch (status) {
	case MHD_HTTP_FORBIDDEN:
		return answer_text(h, conn, status, PLAIN, "a certificate is wanted, of a CA that "
				   "synfin knows\n");
	case MHD_HTTP_UNAUTHORIZED:
		return answer_text(h, conn, status, PLAIN, "Unauthorized\n");
	}
	return answer_text(h, conn, status, PLAIN, "too many passwords are being checked\n");
}

/* ---- connections ---- */

static struct peer *peer_of(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void begin_request(struct http *h, struct peer *p)
{
	if (p->busy)
		return;
	p->busy = true;
	p->since_ns = h->now_ns;
	h->requests++;
}

static void end_request(struct http *h, struct peer *p)
{
	if (!p->busy)
		return;
	p->busy = false;
	p->since_ns = h->now_ns;
	h->requests--;
}

static void on_completed(void *ctx, struct MHD_Connection *conn, void **request,
			 enum MHD_RequestTerminationCode how)
{
	struct server *s = ctx;
	struct peer *p = peer_of(conn);

	if (p)
		end_request(s->http, p);
}

static void add_peer(struct server *s, struct MHD_Connection *conn, void **context)
{
	struct peer *p = calloc(1, sizeof(*p));
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);

	*context = p;
	if (!p)
		return;		/* its requests are refused */
	*p = (struct peer){
		.next = s->peers, .link = &s->peers, .server = s, .conn = conn,
		.fd = info->connect_fd, .since_ns = s->http->now_ns,
	};
	if (p->next)
		p->next->link = &p->next;
	s->peers = p;
	s->nr_peers++;
}

static void remove_peer(struct server *s, struct peer *p)
{
	end_request(s->http, p);
	if (s->http->auth)
		auth_forget(s->http->auth, p);
	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
	s->nr_peers--;
	free(p);
}

static void on_connection(void *ctx, struct MHD_Connection *conn, void **context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct server *s = ctx;

	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		add_peer(s, conn, context);
	else if (*context)
		remove_peer(s, *context);
}

static void suspend(struct peer *p)
{
	p->suspended = true;
	MHD_suspend_connection(p->conn);
}

/* It is handled once more, and then the answer is known. */
static void resume(void *asker)
{
	struct peer *p = asker;

	if (!p->suspended)
		return;
	p->suspended = false;
	MHD_resume_connection(p->conn);
}

static enum MHD_Result answer_request(struct http *h, struct MHD_Connection *conn, struct peer *p,
				      const char *path)
{
	bool wait;
	unsigned int refusal = refuse(h, conn, p, &wait);

	if (refusal)
		return answer_refused(h, conn, refusal);
	if (wait) {
		suspend(p);
		return MHD_YES;
	}
	return answer_path(h, conn, path);
}

/* Called when the headers are there, once more when the body is, and after a wait. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *conn, const char *path,
				  const char *method, const char *version, const char *body,
				  size_t *body_len, void **request)
{
	struct server *s = ctx;
	struct http *h = s->http;
	struct peer *p = peer_of(conn);

	if (!p)
		return MHD_NO;
	begin_request(h, p);
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return answer_text(h, conn, MHD_HTTP_METHOD_NOT_ALLOWED, PLAIN,
				   "GET or HEAD only\n");
	if (!*request) {
		*request = s;
		return MHD_YES;
	}
	if (*body_len) {	/* of a GET: nobody wants it */
		*body_len = 0;
		return MHD_YES;
	}
	return answer_request(h, conn, p, path);
}

/*
 * libmicrohttpd waits for what follows a part of a request, also when the FIN came with
 * that part: the socket would stay in CLOSE_WAIT.
 */
static bool has_hung_up(const struct peer *p)
{
	char byte;

	return !p->busy && !recv(p->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
}

/* libmicrohttpd finds it closed, and forgets it. */
static void reap(const struct server *s, uint64_t now_ns, bool look)
{
	uint64_t idle_ns = s->nr_peers > CROWD ? IDLE_IN_CROWD_NS : IDLE_NS;

	for (const struct peer *p = s->peers; p; p = p->next) {
		if (now_ns - p->since_ns > (p->busy ? REQUEST_NS : idle_ns) ||
		    (look && has_hung_up(p)))
			shutdown(p->fd, SHUT_RDWR);
	}
}

/* ---- setup ---- */

static void on_message(void *ctx, const char *fmt, va_list args)
{
	char text[300];

	vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = 0;
	log_debug("HTTP: %s", text);
}

static int start(struct server *s)
{
	const struct web_config *web = &s->http->web;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, web->cert },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, web->key },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, web->priorities },
		{ web->client_ca ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0,
		  web->client_ca },
		{ MHD_OPTION_END, 0, NULL },
	};
	const union MHD_DaemonInfo *info;

	if (!web->cert)
		tls[0].option = MHD_OPTION_END;
	s->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME |
		(web->cert ? MHD_USE_TLS : 0), 0, NULL, NULL, on_request, s,
		MHD_OPTION_EXTERNAL_LOGGER, on_message, NULL,
		MHD_OPTION_LISTEN_SOCKET, s->fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_MAX,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
		MHD_OPTION_ARRAY, tls,
		MHD_OPTION_END);
	if (!s->daemon)
		return -EIO;
	info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	return s->http->config.watch(s->http->config.ctx, info->epoll_fd);
}

/* Closes its connections; the listening socket stays. */
static void stop(struct server *s)
{
	if (!s->daemon)
		return;
	MHD_quiesce_daemon(s->daemon);
	for (struct peer *p = s->peers; p; p = p->next)
		resume(p);	/* none may be suspended now */
	MHD_stop_daemon(s->daemon);
	s->daemon = NULL;
}

/* Whoever has a password to check needs the thread, once and for all. */
static int need_auth(struct http *h)
{
	int err, watch;

	if (h->auth || !h->web.nr_users)
		return 0;
	err = auth_create(&h->auth, &watch);
	return err ? err : h->config.watch(h->config.ctx, watch);
}

static int read_web_config(struct http *h, struct web_config *ret)
{
	char why[WHY_MAX];
	int err;

	err = web_config_read(h->config.web_config_path, ret, why, sizeof(why));
	if (err)
		log_error("--web.config.file %s: %s; see exporter-toolkit's web configuration",
			  h->config.web_config_path, why);
	h->stamp = ret->stamp;
	return err;
}

/* Connections of the old one end: what they were allowed may have changed. */
static void renew(struct http *h)
{
	struct web_config web;
	int err;

	web_config_deinit(&h->failed);
	h->has_failed = read_web_config(h, &web);
	if (h->has_failed) {
		h->failed = web;
		return;
	}
	for (unsigned int i = 0; i < h->nr_servers; i++)
		stop(&h->servers[i]);
	web_config_deinit(&h->web);
	h->web = web;
	err = need_auth(h);
	for (unsigned int i = 0; i < h->nr_servers && !err; i++)
		err = start(&h->servers[i]);
	if (err)
		log_error("--web.config.file %s: cannot serve HTTP as it wants: %s; nothing is "
			  "served until it changes", h->config.web_config_path, strerror(-err));
	else
		log_info("--web.config.file %s: read again", h->config.web_config_path);
}

static void look_for_changes(struct http *h)
{
	if (web_config_stamp(h->config.web_config_path,
			     h->has_failed ? &h->failed : &h->web) != h->stamp)
		renew(h);
}

int http_create(const struct http_config *config, struct http **ret)
{
	struct http *h = calloc(1, sizeof(*h));
	int err = h ? 0 : -ENOMEM;

	if (h) {
		h->config = *config;
		h->buf = malloc(EXPOSITION_MAX);
		err = h->buf ? 0 : -ENOMEM;
	}
	if (err)
		log_error("cannot serve HTTP: %s", strerror(-err));
	if (!err && config->web_config_path)
		err = read_web_config(h, &h->web);
	if (!err)
		err = need_auth(h);
	if (err)
		http_destroy(h);
	else
		*ret = h;
	return err;
}

void http_destroy(struct http *h)
{
	if (!h)
		return;
	for (unsigned int i = 0; i < h->nr_servers; i++) {
		stop(&h->servers[i]);
		close(h->servers[i].fd);
	}
	auth_destroy(h->auth);
	web_config_deinit(&h->web);
	web_config_deinit(&h->failed);
	free(h->buf);
	free(h);
}

int http_serve(struct http *h, int fd)
{
	struct server *s = &h->servers[h->nr_servers];

	if (h->nr_servers == LISTEN_MAX) {
		close(fd);
		return -ENOSPC;
	}
	*s = (struct server){ .http = h, .fd = fd };
	h->nr_servers++;
	return start(s);
}

const char *http_scheme(const struct http *h)
{
	return h->web.cert ? "https" : "http";
}

void http_turn(struct http *h, uint64_t now_ns)
{
	bool look = now_ns - h->looked_ns >= LOOK_NS;

	h->now_ns = now_ns;
	if (look)
		h->looked_ns = now_ns;
	if (look && h->config.web_config_path)
		look_for_changes(h);
	if (h->auth)
		auth_collect(h->auth, resume);
	for (unsigned int i = 0; i < h->nr_servers; i++) {
		reap(&h->servers[i], now_ns, look);
		if (h->servers[i].daemon)
			MHD_run(h->servers[i].daemon);
	}
}

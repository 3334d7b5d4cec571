// SPDX-License-Identifier: GPL-2.0-or-later
#include "http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"
#include "cli.h"
#include "gzip.h"
#include "log.h"
#include "negotiate.h"

#define CONNECTIONS_MAX		128	/* of each listening socket */
#define CROWD			(CONNECTIONS_MAX * 3 / 4)
#define HEADERS_MAX		(16 * 1024)	/* bytes of memory for each connection */
#define NSEC_PER_SEC		1000000000ull

/* From its first byte to the last of the answer; between requests; that in a crowd. */
#define REQUEST_NS		(10 * NSEC_PER_SEC)
#define IDLE_NS			(120 * NSEC_PER_SEC)
#define IDLE_IN_CROWD_NS	(1 * NSEC_PER_SEC)

/* A connection. */
struct peer {
	struct peer *next, **link;
	struct server *server;
	int fd;
	bool busy;		/* a request is being answered */
	uint64_t since_ns;	/* that, or the opposite */
};

/* A listening socket. */
struct server {
	struct http *http;
	struct MHD_Daemon *daemon;
	struct peer *peers;
	unsigned int nr_peers;
};

struct http {
	struct http_config config;
	struct server servers[LISTEN_MAX];
	unsigned int nr_servers;
	unsigned int requests;	/* being answered */
	uint64_t now_ns;
	char *buf;		/* of EXPOSITION_MAX bytes */
};

/* ---- answers ---- */

static enum MHD_Result answer(struct MHD_Connection *conn, unsigned int status,
			      struct MHD_Response *response)
{
	enum MHD_Result ret;

	if (!response)
		return MHD_NO;	/* no memory: closes the connection */
	ret = MHD_queue_response(conn, status, response);
	MHD_destroy_response(response);
	return ret;
}

static enum MHD_Result answer_text(struct MHD_Connection *conn, unsigned int status,
				   const char *type, const char *text)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY);

	if (response) {
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
		if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
			MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	}
	return answer(conn, status, response);
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
		return answer_text(conn, MHD_HTTP_INTERNAL_SERVER_ERROR, PLAIN,
				   "more metrics than there is room for\n");
	response = pack(h->buf, t.p - h->buf,
			negotiate_gzip(header_of(conn, MHD_HTTP_HEADER_ACCEPT_ENCODING)));
	if (response) {
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
					negotiate_content_type(accept, format));
		MHD_add_response_header(response, MHD_HTTP_HEADER_VARY,
					"Accept, Accept-Encoding");
	}
	return answer(conn, MHD_HTTP_OK, response);
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
	text_str(t, "<li><a href=\"");
	text_html(t, path);
	text_str(t, "\">");
	text_html(t, path);
	text_str(t, "</a>: ");
	text_str(t, what);
	text_str(t, "</li>\n");
}

static enum MHD_Result answer_landing_page(const struct http *h, struct MHD_Connection *conn)
{
	char page[4096];
	struct text t = text_into(page, sizeof(page) - 1);

	text_str(&t, "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">"
		     "<title>synfin</title></head>\n"
		     "<body>\n<h1>synfin " SYNFIN_VERSION "</h1>\n"
		     "<p>Traces the kernel's TCP states: how connections open, live and end.</p>\n"
		     "<ul>\n");
	link_to(&t, h->config.path, "metrics, for Prometheus");
	link_to(&t, "/-/healthy", "whether it runs");
	link_to(&t, "/-/ready", "whether it traces");
	text_str(&t, "</ul>\n<p>What they mean: synfin(8), docs/metrics.md.</p>\n"
		     "</body>\n</html>\n");
	*t.p = 0;
	return answer_text(conn, MHD_HTTP_OK, "text/html; charset=utf-8", page);
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
			return answer_text(conn, MHD_HTTP_SERVICE_UNAVAILABLE, PLAIN,
					   "too many requests at a time (--web.max-requests)\n");
		return answer_metrics(h, conn);
	}
	if (!strcmp(path, "/"))
		return answer_landing_page(h, conn);
	if (!strcmp(path, "/-/healthy"))
		return answer_text(conn, MHD_HTTP_OK, PLAIN, "synfin is healthy\n");
	if (!strcmp(path, "/-/ready"))
		return answer_text(conn, MHD_HTTP_OK, PLAIN, "synfin is ready\n");
	return answer_text(conn, MHD_HTTP_NOT_FOUND, PLAIN, "there is nothing here; see /\n");
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
		.next = s->peers, .link = &s->peers, .server = s, .fd = info->connect_fd,
		.since_ns = s->http->now_ns,
	};
	if (p->next)
		p->next->link = &p->next;
	s->peers = p;
	s->nr_peers++;
}

static void remove_peer(struct server *s, struct peer *p)
{
	end_request(s->http, p);
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

/* Called when the headers are there, and once more when the body is. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *conn, const char *path,
				  const char *method, const char *version, const char *body,
				  size_t *body_len, void **request)
{
	struct server *s = ctx;
	struct peer *p = peer_of(conn);

	if (!p)
		return MHD_NO;
	begin_request(s->http, p);
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return answer_text(conn, MHD_HTTP_METHOD_NOT_ALLOWED, PLAIN, "GET or HEAD only\n");
	if (!*request) {
		*request = s;
		return MHD_YES;
	}
	if (*body_len) {	/* of a GET: nobody wants it */
		*body_len = 0;
		return MHD_YES;
	}
	return answer_path(s->http, conn, path);
}

/* libmicrohttpd finds it closed, and forgets it. */
static void reap(const struct server *s, uint64_t now_ns)
{
	uint64_t idle_ns = s->nr_peers > CROWD ? IDLE_IN_CROWD_NS : IDLE_NS;

	for (const struct peer *p = s->peers; p; p = p->next) {
		if (now_ns - p->since_ns > (p->busy ? REQUEST_NS : idle_ns))
			shutdown(p->fd, SHUT_RDWR);
	}
}

/* ---- setup ---- */

int http_create(const struct http_config *config, struct http **ret)
{
	struct http *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	h->config = *config;
	h->buf = malloc(EXPOSITION_MAX);
	if (!h->buf) {
		free(h);
		return -ENOMEM;
	}
	*ret = h;
	return 0;
}

void http_destroy(struct http *h)
{
	if (!h)
		return;
	for (unsigned int i = 0; i < h->nr_servers; i++)
		MHD_stop_daemon(h->servers[i].daemon);
	free(h->buf);
	free(h);
}

static void on_message(void *ctx, const char *fmt, va_list args)
{
	char text[300];

	vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = 0;
	log_debug("HTTP: %s", text);
}

int http_serve(struct http *h, int fd, int *watch)
{
	struct server *s = &h->servers[h->nr_servers];
	const union MHD_DaemonInfo *info;

	if (h->nr_servers == LISTEN_MAX) {
		close(fd);
		return -ENOSPC;
	}
	s->http = h;
	s->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, s,
		MHD_OPTION_EXTERNAL_LOGGER, on_message, NULL,
		MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_MAX,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
		MHD_OPTION_END);
	if (!s->daemon) {
		close(fd);
		return -EIO;
	}
	h->nr_servers++;
	info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	*watch = info->epoll_fd;
	return 0;
}

void http_turn(struct http *h, uint64_t now_ns)
{
	h->now_ns = now_ns;
	for (unsigned int i = 0; i < h->nr_servers; i++) {
		reap(&h->servers[i], now_ns);
		MHD_run(h->servers[i].daemon);
	}
}

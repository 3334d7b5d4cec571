// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "exposition.h"
#include "metric.h"

static char buf[EXPOSITION_MAX];
static struct metrics metrics;
static struct self self;
static struct timewait minis;
static struct gauges gauges;
static struct groups groups, *asked_for;
static char reasons[ENGINE_REASONS][WIRE_NAME_LEN];

static int begin(void **state)
{
	memset(&metrics, 0, sizeof(metrics));
	memset(reasons, 0, sizeof(reasons));
	memset(&minis, 0, sizeof(minis));
	memset(&gauges, 0, sizeof(gauges));
	asked_for = NULL;
	gauges.ports = (struct gauges_ports){
		GAUGES_NOT_KNOWN, GAUGES_NOT_KNOWN, GAUGES_NOT_KNOWN };
	gauges.close_wait = (struct gauges_close_wait){ GAUGES_NOT_KNOWN, GAUGES_NOT_KNOWN };
	self = (struct self){ .libbpf = "v1.1", .has_runs = true, .nr_programs = 1, .nr_maps = 1,
			      .collectors[COLLECTOR_CENSUS] = { true, true, 1500000 } };
	strcpy(self.programs[0].name, "on_set_state");
	strcpy(self.maps[0].name, "slots");
	return 0;
}

static const char *write_all(enum exposition_format format)
{
	const struct exposition x = {
		.metrics = &metrics, .self = &self, .reasons = reasons, .minis = &minis,
		.gauges = &gauges, .groups = asked_for,
	};
	struct text t = text_into(buf, sizeof(buf) - 1);

	exposition_write(&t, &x, format);
	assert_false(t.full);
	*t.p = 0;
	return buf;
}

static void assert_line(const char *text, const char *line)
{
	char wanted[400];

	snprintf(wanted, sizeof(wanted), "\n%s\n", line);
	if (!strstr(text, wanted))
		fail_msg("no line \"%s\"", line);
}

static void names_are_as_promtool_wants_them(void **state)
{
	static const char total[] = "_total";

	for (int i = 0; i < METRIC_MAX; i++) {
		const struct metric_spec *spec = &metric_specs[i];
		size_t len = strlen(spec->name);
		bool is_total = len > 6 && !strcmp(spec->name + len - strlen(total), total);
		const char *unit = metric_units[spec->unit];

		assert_true(!strncmp(spec->name, "synfin_", 7) ||
			    !strncmp(spec->name, "process_", 8));
		assert_int_equal(strspn(spec->name, "abcdefghijklmnopqrstuvwxyz0123456789_"), len);
		assert_int_equal(is_total, spec->type == METRIC_COUNTER);
		assert_true(*spec->help);
		assert_null(strpbrk(spec->help, "\"\\\n"));
		if (*unit) {
			len -= is_total ? strlen(total) : 0;
			assert_memory_equal(spec->name + len - strlen(unit), unit, strlen(unit));
		}
	}
}

static void families_of_nothing_known_are_left_out(void **state)
{
	const char *text;

	assert_null(strstr(write_all(EXPOSITION_CLASSIC), "synfin_sockets"));
	metrics.has_sockets = true;
	assert_line(write_all(EXPOSITION_CLASSIC), "synfin_sockets{state=\"listen\"} 0");
	self.has_runs = self.collectors[COLLECTOR_CENSUS].ran = false;
	text = write_all(EXPOSITION_OPENMETRICS);
	assert_null(strstr(text, "synfin_program_runs"));
	assert_null(strstr(text, "synfin_collector"));
}

/* Each family once, its lines together; each sample once. */
static void assert_in_order(const char *text, bool openmetrics)
{
	static char seen[20000][160];
	unsigned int nr = 0;
	char family[80] = "", name[80];
	const char *end;

	for (const char *p = text; *p; p = end + 1) {
		end = strchr(p, '\n');
		assert_non_null(end);
		assert_true(end > p);
		if (sscanf(p, "# TYPE %79s", name) == 1) {
			strcpy(family, name);
		} else if (*p != '#') {
			size_t len = strcspn(p, "} ") + 1;

			assert_memory_equal(p, family, strlen(family));
			assert_true(len < sizeof(seen[0]) && nr < 20000);
			snprintf(seen[nr], sizeof(seen[0]), "%.*s", (int)len, p);
			for (unsigned int i = 0; i < nr; i++)
				assert_string_not_equal(seen[i], seen[nr]);
			nr++;
		} else if (openmetrics) {
			assert_true(!strncmp(p, "# TYPE ", 7) || !strncmp(p, "# UNIT ", 7) ||
				    !strncmp(p, "# HELP ", 7) || !strcmp(p, "# EOF\n"));
		}
	}
}

static void families_are_whole_and_samples_are_there_once(void **state)
{
	metrics.has_sockets = true;
	assert_in_order(write_all(EXPOSITION_CLASSIC), false);
	assert_in_order(write_all(EXPOSITION_OPENMETRICS), true);
}

static void the_classic_text_names_counters_with_total(void **state)
{
	const char *text;

	metrics.handshakes[ROLE_ACTIVE] = 12;
	text = write_all(EXPOSITION_CLASSIC);
	assert_line(text, "# TYPE synfin_handshakes_total counter");
	assert_line(text, "synfin_handshakes_total{role=\"active\"} 12");
	assert_null(strstr(text, "# EOF"));
	assert_null(strstr(text, "# UNIT"));
}

static void openmetrics_names_the_family_without_it(void **state)
{
	const char *text;

	metrics.handshakes[ROLE_ACTIVE] = 12;
	text = write_all(EXPOSITION_OPENMETRICS);
	assert_line(text, "# TYPE synfin_handshakes counter");
	assert_line(text, "synfin_handshakes_total{role=\"active\"} 12");
	assert_line(text, "# TYPE process_cpu_seconds counter\n# UNIT process_cpu_seconds seconds");
	assert_string_equal(text + strlen(text) - 7, "\n# EOF\n");
}

static void a_histogram_is_cumulated_and_its_edges_are_seconds(void **state)
{
	const char *text;

	histogram_observe(&metrics.handshake[ROLE_ACTIVE], &handshake_edges, 90000);
	histogram_observe(&metrics.handshake[ROLE_ACTIVE], &handshake_edges, 2400000);
	histogram_observe(&metrics.handshake[ROLE_ACTIVE], &handshake_edges, 70000000000);
	text = write_all(EXPOSITION_CLASSIC);
#define H "synfin_handshake_duration_seconds"
	assert_line(text, H "_bucket{role=\"active\",le=\"0.0001\"} 1");
	assert_line(text, H "_bucket{role=\"active\",le=\"0.001\"} 1");
	assert_line(text, H "_bucket{role=\"active\",le=\"0.0025\"} 2");
	assert_line(text, H "_bucket{role=\"active\",le=\"63\"} 2");
	assert_line(text, H "_bucket{role=\"active\",le=\"+Inf\"} 3");
	assert_line(text, H "_sum{role=\"active\"} 70.00249");
	assert_line(text, H "_count{role=\"active\"} 3");
	text = write_all(EXPOSITION_OPENMETRICS);
	assert_line(text, H "_bucket{role=\"active\",le=\"63.0\"} 2");
	assert_line(text, H "_bucket{role=\"active\",le=\"0.0025\"} 2");
}

static void exemplars_stand_in_openmetrics_only(void **state)
{
	metrics.exemplars[ROLE_ACTIVE][13] = (struct exemplar){
		.id = 0xabc, .value_ns = 1500000000, .at_ns = 1795219485123000000,
	};
	assert_line(write_all(EXPOSITION_OPENMETRICS),
		    H "_bucket{role=\"active\",le=\"2.0\"} 0 "
		    "# {conn=\"0000000000000abc\"} 1.5 1795219485.123");
	assert_null(strstr(write_all(EXPOSITION_CLASSIC), "abc"));
}

static void resets_are_told_by_the_kernels_reasons(void **state)
{
	const char *text;

	strcpy(reasons[0], "not_specified");
	strcpy(reasons[1], "no_socket");
	strcpy(reasons[2], "max");
	metrics.kernel.resets_sent[1] = 4;
	text = write_all(EXPOSITION_CLASSIC);
	assert_line(text, "synfin_resets_sent_total{reason=\"no_socket\"} 4");
	assert_line(text, "synfin_resets_sent_total{reason=\"not_specified\"} 0");
	assert_null(strstr(text, "reason=\"max\""));
	assert_null(strstr(text, "synfin_resets_sent_total{reason=\"other\"}"));
	metrics.kernel.resets_sent[WIRE_RESET_REASONS - 1] = 2;
	assert_line(write_all(EXPOSITION_CLASSIC), "synfin_resets_sent_total{reason=\"other\"} 2");
}

static void a_kernel_without_reasons_leaves_them_unknown(void **state)
{
	metrics.kernel.resets_sent[WIRE_RESET_REASONS - 1] = 2;
	assert_line(write_all(EXPOSITION_CLASSIC),
		    "synfin_resets_sent_total{reason=\"unknown\"} 2");
}

static void what_cannot_be_is_told_all_the_same_if_it_was(void **state)
{
	assert_null(strstr(write_all(EXPOSITION_CLASSIC), "{role=\"active\",reason=\"no_ack\"}"));
	metrics.failures[ROLE_ACTIVE][OUTCOME_NO_ACK] = 1;
	metrics.closes[CLOSE_SILENT][SIDE_LOCAL] = 1;
	metrics.transitions[TS_LISTEN][TS_ESTABLISHED] = 1;
	write_all(EXPOSITION_CLASSIC);
	assert_line(buf, "synfin_handshake_failures_total{role=\"active\",reason=\"no_ack\"} 1");
	assert_line(buf, "synfin_connections_closed_total{close=\"silent\",closed_by=\"local\"} 1");
	assert_line(buf, "synfin_state_transitions_total{from=\"listen\",to=\"established\"} 1");
}

static void mini_sockets_are_told_by_the_ledger(void **state)
{
	metrics.has_sockets = true;
	metrics.sockets_base[TS_FIN_WAIT2] = 2;
	minis.gone = (struct tw_place){
		.time_wait = 5, .fin_wait2 = 3, .corrections = 4, .ended[END_EXPIRED] = 7,
	};
	write_all(EXPOSITION_CLASSIC);
	assert_line(buf, "synfin_sockets{state=\"fin_wait2\"} 5");
	assert_line(buf, "synfin_sockets{state=\"time_wait\"} 5");
	assert_line(buf, "synfin_reconcile_corrections_total 4");
	assert_line(buf, "synfin_time_wait_removed_total{cause=\"expired\"} 7");
	assert_line(buf, "synfin_time_wait_removed_total{cause=\"reused\"} 0");
	assert_null(strstr(buf, "synfin_time_wait_removed_total{cause=\"orphan\"}"));
	assert_null(strstr(buf, "synfin_time_wait_removed_total{cause=\"unknown\"}"));
}

static void a_ledger_that_was_full_leaves_the_sockets_out(void **state)
{
	metrics.has_sockets = true;
	minis.unlisted = 1;
	assert_null(strstr(write_all(EXPOSITION_CLASSIC), "synfin_sockets"));
}

static void what_a_census_did_not_tell_is_left_out(void **state)
{
	write_all(EXPOSITION_CLASSIC);
	assert_null(strstr(buf, "synfin_ephemeral_ports"));
	assert_null(strstr(buf, "synfin_ephemeral_port_usage"));
	assert_null(strstr(buf, "synfin_time_wait_sockets_limit"));
	assert_null(strstr(buf, "synfin_time_wait_overflows"));
	assert_null(strstr(buf, "synfin_listen_"));
	assert_null(strstr(buf, "synfin_syn_cookies"));
	assert_null(strstr(buf, "synfin_close_wait"));
}

static void what_a_census_told_is_told(void **state)
{
	gauges.ports = (struct gauges_ports){ 65536, 28232, 250000000 };
	gauges.close_wait = (struct gauges_close_wait){ 3, 61500000000 };
	gauges.has_sums = true;
	gauges.sums.known = 1ull << WIRE_F_LISTEN_DROPS | 1ull << WIRE_F_COOKIES_SENT;
	gauges.sums.sums[WIRE_F_LISTEN_DROPS] = 9;
	write_all(EXPOSITION_CLASSIC);
	assert_line(buf, "synfin_ephemeral_ports 28232");
	assert_line(buf, "synfin_ephemeral_port_usage_max_ratio 0.25");
	assert_line(buf, "synfin_time_wait_sockets_limit 65536");
	assert_line(buf, "synfin_listen_drops_total 9");
	assert_line(buf, "synfin_syn_cookies_sent_total 0");
	assert_line(buf, "synfin_close_wait_stale_sockets 3");
	assert_line(buf, "synfin_close_wait_oldest_age_seconds 61.5");
	assert_null(strstr(buf, "synfin_listen_overflows"));
}

static void accept_queues_are_told_by_address_and_port(void **state)
{
	struct wire_listener listener = { .tuple = { .lport = 443, .family = 4 },
					  .queue = 3, .limit = 128 };

	assert_int_equal(accept_queues_init(&gauges.queues), 0);
	memcpy(listener.tuple.laddr, (uint8_t[]){ [10] = 0xff, 0xff, 10, 0, 0, 1 }, 16);
	accept_queues_add(&gauges.queues, &listener);
	assert_null(strstr(write_all(EXPOSITION_CLASSIC), "accept_queue"));
	gauges.has_queues = true;
	gauges.queues.nr_rest = 2;
	gauges.queues.rest_limit = 9;
	write_all(EXPOSITION_CLASSIC);
	assert_line(buf, "synfin_listen_accept_queue_sockets{"
			 "local_addr=\"10.0.0.1\",local_port=\"443\"} 3");
	assert_line(buf, "synfin_listen_accept_queue_limit_sockets{"
			 "local_addr=\"10.0.0.1\",local_port=\"443\"} 128");
	assert_line(buf, "synfin_listen_accept_queue_limit_sockets{"
			 "local_addr=\"other\",local_port=\"other\"} 9");
	accept_queues_deinit(&gauges.queues);
}

static void tops_are_told_only_if_asked_for(void **state)
{
	const struct tops_remote remote = { .addr = { [15] = 1 }, .port = 443, .family = 6 };
	const struct tops_space pool = {
		.laddr = { [10] = 0xff, 0xff, 10, 0, 0, 1 }, .is_pool = 1, .family = 4,
	};
	const uint64_t port = 80;

	gauges.has_tops = true;
	assert_null(strstr(write_all(EXPOSITION_CLASSIC), "synfin_time_wait_remote"));
	assert_null(strstr(buf, "usage_ratio"));
	assert_int_equal(tops_init(&gauges.tops, 1), 0);
	topk_add(&gauges.tops.remotes, &remote, 7);
	topk_add(&gauges.tops.remotes, &(struct tops_remote){}, 2);
	topk_add(&gauges.tops.lports, &port, 9);
	topk_raise(&gauges.tops.spaces, &pool, 125000000);
	tops_end(&gauges.tops, 1);
	write_all(EXPOSITION_CLASSIC);
	assert_line(buf, "synfin_time_wait_remote_sockets{remote_addr=\"::1\","
			 "remote_port=\"443\"} 7");
	assert_line(buf, "synfin_time_wait_remote_sockets{remote_addr=\"other\","
			 "remote_port=\"other\"} 2");
	assert_line(buf, "synfin_time_wait_local_sockets{local_port=\"80\"} 9");
	assert_line(buf, "synfin_time_wait_local_sockets{local_port=\"other\"} 0");
	assert_line(buf, "synfin_ephemeral_port_usage_ratio{local_addr=\"10.0.0.1\","
			 "remote_addr=\"any\",remote_port=\"any\"} 0.125");
	gauges.has_tops = false;
	assert_null(strstr(write_all(EXPOSITION_CLASSIC), "synfin_time_wait_remote"));
	tops_deinit(&gauges.tops);
}

static struct group *add_group(uint64_t id, const char *path)
{
	struct group *group = keytab_add(&groups.table, &id);

	groups.nr_unasked++;
	groups_learn(&groups, group, path);
	return group;
}

static void cgroups_are_told_only_if_asked_for(void **state)
{
	struct group *group;

	metrics.has_sockets = true;
	assert_int_equal(groups_init(&groups, NULL), 0);
	group = add_group(77, "/system.slice/web.service");
	group->sockets[TS_ESTABLISHED] = 3;
	group->states = 1u << TS_ESTABLISHED | 1u << TS_LISTEN;
	group->failures[OUTCOME_REFUSED] = 2;
	group->reasons = 1u << OUTCOME_REFUSED;
	add_group(78, NULL);
	groups.other.retransmits = 9;
	assert_null(strstr(write_all(EXPOSITION_CLASSIC), "synfin_cgroup"));
	asked_for = &groups;
	write_all(EXPOSITION_CLASSIC);
	assert_line(buf, "synfin_cgroup_info{cgroup_id=\"77\",path=\"/system.slice/web.service\","
			 "unit=\"web.service\",container_id=\"\",pod_uid=\"\"} 1");
	assert_null(strstr(buf, "synfin_cgroup_info{cgroup_id=\"78\""));
	assert_line(buf, "synfin_cgroup_sockets{cgroup_id=\"77\",state=\"established\"} 3");
	assert_line(buf, "synfin_cgroup_sockets{cgroup_id=\"77\",state=\"listen\"} 0");
	assert_line(buf, "synfin_cgroup_handshake_failures_total{cgroup_id=\"77\","
			 "reason=\"refused\"} 2");
	assert_line(buf, "synfin_cgroup_retransmits_total{cgroup_id=\"78\"} 0");
	assert_line(buf, "synfin_cgroup_retransmits_total{cgroup_id=\"other\"} 9");
	assert_line(buf, "synfin_cgroup_retransmits_total{cgroup_id=\"unknown\"} 0");
	groups_deinit(&groups);
}

/* The longest paths there can be, of bytes that take the most room. */
static void every_cgroup_with_the_longest_path_finds_room(void **state)
{
	char path[WIRE_PATH_LEN] = "/";

	memset(path + 1, '\xff', sizeof(path) - 2);
	assert_int_equal(groups_init(&groups, NULL), 0);
	metrics.has_sockets = true;
	for (uint64_t id = 1; id <= GROUPS_MAX; id++) {
		struct group *group = add_group(UINT64_MAX - id, path);

		group->states = (1u << TS_MAX) - 1;
		group->reasons = (1u << OUTCOME_MAX) - 1;
	}
	asked_for = &groups;
	write_all(EXPOSITION_OPENMETRICS);
	groups_deinit(&groups);
}

static void a_label_value_is_utf8_whatever_it_was(void **state)
{
	strcpy(self.maps[0].name, "\xc3\xa9\xc3(\xff");
	assert_line(write_all(EXPOSITION_CLASSIC),
		    "synfin_map_entries{map=\"\xc3\xa9\xef\xbf\xbd(\xef\xbf\xbd\"} 0");
}

static void label_values_are_escaped(void **state)
{
	strcpy(self.maps[0].name, "a\"b\\c\nd");
	assert_line(write_all(EXPOSITION_CLASSIC), "synfin_map_entries{map=\"a\\\"b\\\\c\\nd\"} 0");
}

static void no_room_is_told(void **state)
{
	const struct exposition x = {
		.metrics = &metrics, .self = &self, .reasons = reasons, .minis = &minis,
		.gauges = &gauges,
	};
	struct text t = text_into(buf, 100);

	exposition_write(&t, &x, EXPOSITION_CLASSIC);
	assert_true(t.full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(names_are_as_promtool_wants_them, begin),
		cmocka_unit_test_setup(families_of_nothing_known_are_left_out, begin),
		cmocka_unit_test_setup(families_are_whole_and_samples_are_there_once, begin),
		cmocka_unit_test_setup(the_classic_text_names_counters_with_total, begin),
		cmocka_unit_test_setup(openmetrics_names_the_family_without_it, begin),
		cmocka_unit_test_setup(a_histogram_is_cumulated_and_its_edges_are_seconds, begin),
		cmocka_unit_test_setup(exemplars_stand_in_openmetrics_only, begin),
		cmocka_unit_test_setup(resets_are_told_by_the_kernels_reasons, begin),
		cmocka_unit_test_setup(a_kernel_without_reasons_leaves_them_unknown, begin),
		cmocka_unit_test_setup(what_cannot_be_is_told_all_the_same_if_it_was, begin),
		cmocka_unit_test_setup(mini_sockets_are_told_by_the_ledger, begin),
		cmocka_unit_test_setup(a_ledger_that_was_full_leaves_the_sockets_out, begin),
		cmocka_unit_test_setup(what_a_census_did_not_tell_is_left_out, begin),
		cmocka_unit_test_setup(what_a_census_told_is_told, begin),
		cmocka_unit_test_setup(accept_queues_are_told_by_address_and_port, begin),
		cmocka_unit_test_setup(tops_are_told_only_if_asked_for, begin),
		cmocka_unit_test_setup(cgroups_are_told_only_if_asked_for, begin),
		cmocka_unit_test_setup(every_cgroup_with_the_longest_path_finds_room, begin),
		cmocka_unit_test_setup(a_label_value_is_utf8_whatever_it_was, begin),
		cmocka_unit_test_setup(label_values_are_escaped, begin),
		cmocka_unit_test_setup(no_room_is_told, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#!/bin/sh
# SPDX-License-Identifier: ISC
# The metrics of a running tap82: promtool, a real Prometheus that scrapes them, the alert rules,
# and every expression of the Grafana board.
set -u
# shellcheck source=tests/lab/lib.sh
. "$(dirname "$0")/lib.sh"
lab_init "$1"
top=$(cd "$(dirname "$0")/../.." && pwd)
for program in prometheus promtool; do
  command -v "$program" > /dev/null || lab_die "$program is missing: run 'make deps'"
done
lab_settings="metrics-listen = 127.0.0.1:9182"
lab_net
lab_dhcpd_conf
lab_dhcpd
lab_tap82_conf
printf '\n[webhook vms]\nurl = http://127.0.0.1:1/\n' >> "$tmp/tap82.ini"
lab_devices << CSV
mac,serial_number,name
02:82:00:00:10:01,SN1,Gate
CSV
lab_tap82

scrape() { on_server curl -sf --max-time 5 http://127.0.0.1:9182/metrics > "$tmp/metrics"; }
metric_is() { scrape && grep -qx -- "$1" "$tmp/metrics"; }

check "metrics are served on their own address" scrape
check "promtool finds nothing wrong in them" sh -c \
  "promtool check metrics < '$tmp/metrics' 2>&1 | grep . && exit 1; exit 0"
check "and no other path is" sh -c \
  "[ \"\$(ip netns exec $server_ns curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:9182/v1/devices)\" = 404 ]"
check "a camera gets its address" cameras dora mac=02:82:00:00:10:01 relay=10.50.0.1 circuit=01 remote=02
check "its events are counted" wait_for 10 metric_is 'tap82_events_total{event="provision.handoff"} 1'
check "the devices by state, too" metric_is 'tap82_devices{state="provisioned"} 1'

# ---- rules and board name what there is ----

# names FILE: the metrics that it uses.
names() { grep -o 'tap82_[a-z_]*[a-z]' "$1" | sort -u; }
all_there() {
  for name in $(names "$1"); do
    grep -q "^${name}[ {]" "$tmp/metrics" || echo "$name"
  done
}
nothing() { ! "$@" | grep .; }
scrape
check "every metric of the alert rules exists" nothing all_there "$top/config/prometheus-alerts.yml"
check "every metric of the Grafana board exists" nothing all_there "$top/config/grafana.json"
cp "$top/config/prometheus-alerts.yml" "$top/tests/lab/alerts_test.yml" "$tmp"
check "promtool accepts the alert rules" promtool check rules "$tmp/prometheus-alerts.yml"
check "they fire when they should, and only then" promtool test rules "$tmp/alerts_test.yml"
# The board's expressions, as rules, so that promtool reads them.
jq -r '"groups: [{name: board, rules: [" + ([.panels[].targets[].expr
  | gsub("\\$__rate_interval"; "5m") | gsub("\\$instance"; ".*")]
  | to_entries | map({record: "board:\(.key)", expr: .value} | tojson) | join(", ")) + "]}]"' \
  "$top/config/grafana.json" > "$tmp/board.yml"
check "promtool accepts the board's expressions" promtool check rules "$tmp/board.yml"

# ---- a real Prometheus ----

cat > "$tmp/prometheus.yml" << CONF
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [$tmp/prometheus-alerts.yml, $tmp/board.yml]
scrape_configs:
  - job_name: tap82
    static_configs: [{targets: ["127.0.0.1:9182"]}]
CONF
on_server prometheus --config.file="$tmp/prometheus.yml" --storage.tsdb.path="$tmp/tsdb" \
  --web.listen-address=127.0.0.1:9090 > "$tmp/prometheus.log" 2>&1 &
lab_pids="$lab_pids $!"

# asked EXPRESSION: the value of its first sample.
asked() {
  on_server curl -sf --max-time 5 --data-urlencode "query=$1" http://127.0.0.1:9090/api/v1/query |
    jq -r '.data.result[0].value[1] // "none"'
}
asked_is() { [ "$(asked "$1")" = "$2" ]; }
rules_well() {
  on_server curl -sf http://127.0.0.1:9090/api/v1/rules |
    jq -e '[.data.groups[].rules[]] | length > 20 and all(.health == "ok")'
}

check "a real Prometheus scrapes them" wait_for 20 asked_is 'up{job="tap82"}' 1
check "and knows the camera" wait_for 5 asked_is 'tap82_devices{state="provisioned"}' 1
check "and evaluates every rule and expression" wait_for 10 rules_well
lab_stop "$dhcpd_pid" KILL
check "a dhcpd that dies is seen" wait_for 30 asked_is 'tap82_server_up{server="north"}' 0
check "and its alert is pending" wait_for 10 asked_is \
  'ALERTS{alertname="Tap82ServerUnreachable", alertstate="pending"}' 1

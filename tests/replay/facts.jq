# SPDX-License-Identifier: ISC
# Words for FACTS; the input is the list of all records that a command printed.
def cam(n): "02:00:00:00:00:0\(n)";
def events(code): [.[] | select(.event == code)];
def n(code): events(code) | length;
def n(code; mac): [events(code)[] | select(.mac == mac)] | length;
def told(mac): [.[] | select(.event and .mac == mac) | .event];
def device(mac): first(.[] | select(.event == null and .mac == mac));

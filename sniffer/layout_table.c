/* SPDX-License-Identifier: ISC */
#include <stddef.h>

#include "layout_table.h"

#define TYPED_MAC  "0x00 0x06 mac:48"
#define TYPED_TEXT "0x01 len:8 text"

/* From the vendors' manuals. Where two write the same bytes with another meaning, both fit: only
 * the configuration can say which switch it is. */
const struct layout_row layout_rows[] = {
	/* Catalyst and IE: VLAN, module, port. Some count ports from 3: cisco-2. */
	{"cisco", "0x00 0x04 vlan:16 slot:8 port:8 | " TYPED_TEXT, TYPED_MAC " | " TYPED_TEXT},
	{"d-link", "0x00 0x04 vlan:16 slot:8 port:8 | " TYPED_TEXT, TYPED_MAC " | " TYPED_TEXT},
	{"d-link-vendor1", "0x00 0x06 vlan:16 slot:16 port:16 0x01 0x06 mac:48", TYPED_MAC},
	{"tp-link", "0x00 0x04 vlan:16 port:16", TYPED_MAC},
	{"tp-link-private", "vlan:16 port:16", "mac:48"},
	/* The port's index counts from 0. */
	{"h3c", "0x00 0x04 vlan:16 port:16+1", TYPED_MAC},
	{"h3c-standard", "vlan:16 port:16+1", "mac:48"},
	{"huawei-default",
		"text {}{slot}/{_}/{port}:{vlan}.{_} {}/0/0/0/0/0 | "
		"text {}{port}:{vlan}.{_} {}/0/0/0/0/0",
		"mac:48"},
	{"huawei-common",
		"text eth{slot}/{_}/{port}:{vlan}.{_} {}0/0/0/0/0 | "
		"text eth {slot}/{_}/{port}:{vlan}.{_} {}0/0/0/0/0 | "
		"text trunk{port}:{vlan}.{_} {}0/0/0/0/0 | "
		"text trunk {port}:{vlan}.{_} {}0/0/0/0/0",
		"text {mac}"},
	{"huawei-extend", "0x00 0x04 vlan:16 slot:5 _:3 port:8", TYPED_MAC},
	{"eltex-tr101",
		"text {} eth {_}/{slot}/{port}:{vlan} | text {} eth {_}/{slot}/{port}: {vlan}",
		"0x0089c1 mac:48 | 0x000089c1 mac:48"},
	{"eltex-custom", "0x00 0x04 vlan:16 slot:8 port:8", TYPED_MAC},
	{"interlogix", "vlan:16 slot:8 port:8", "mac:48"},
	{"moxa", "0x01 vlan:16 port:8", "mac:48 | _:32 mac:48"},
	{"juniper",
		"text {}-{slot}/{_}/{port}.{_}:{vlan} | text {}-{slot}/{_}/{port}:{_}-{vlan} | "
		"text {}-{slot}/{_}/{port}:{vlan}",
		"text {mac}:{} | text {mac}"},
	{"mikrotik", "text {} eth {slot}/{port}:{vlan} | text {} eth {slot}/{port}", "text {mac}"},
	/* The Broadband Forum's form, written by many access nodes. */
	{"tr101",
		"text {} eth {slot}/{port}:{vlan} | text {} eth {_}/{slot}/{port}:{vlan} | "
		"text {} eth {slot}/{port}",
		"text {mac} | mac:48"},
	{"zte", "text eth {slot}/{_}/{port}:{vlan}.{_} {}", "text {mac}"},
	{"dcn", "text Vlan{vlan}+Ethernet{slot}/{port} | text Vlan{vlan}+Ethernet{slot}/{_}/{port}",
		"text {mac} | mac:48"},
	{"sonic", "text {}:Ethernet{port}:Vlan{vlan} | text {}:Ethernet{port}", "text {mac}"},
	{"ascii", "text {}", "text {}"},
	{0},
};

/* A vendor's name alone is what its switches do out of the box. */
const struct layout_alias layout_aliases[] = {
	{"huawei", "huawei-default"},
	{"eltex", "eltex-tr101"},
	{"dlink", "d-link"},
	{"tplink", "tp-link"},
	{"h3c-extended", "h3c"},
	{0},
};

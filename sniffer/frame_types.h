/* SPDX-License-Identifier: ISC
 *
 * Numbers of the layers below the messages, shared by the decoder and the kernel filter.
 */
#ifndef SNIFFER_FRAME_TYPES_H
#define SNIFFER_FRAME_TYPES_H

/* Link types of capture files (tcpdump.org/linktypes.html). */
enum {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_PPP = 9,
	LINK_RAW_BSD = 12, /* DLT_RAW as most systems number it */
	LINK_RAW_OPENBSD = 14,
	LINK_PPP_HDLC = 50,
	LINK_RAW = 101,
	LINK_LOOP = 108,
	LINK_LINUX_SLL = 113,
	LINK_IPV4 = 228,
	LINK_LINUX_SLL2 = 276,
};

/* IEEE 802 numbers (IANA ieee-802-numbers). */
enum {
	ETHERTYPE_MIN = 0x0600, /* below: a length */
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_ERSPAN3 = 0x22eb,
	ETHERTYPE_TEB = 0x6558, /* transparent Ethernet bridging, in GRE */
	ETHERTYPE_8021Q = 0x8100,
	ETHERTYPE_MPLS = 0x8847,
	ETHERTYPE_MPLS_UPSTREAM = 0x8848,
	ETHERTYPE_PPPOE = 0x8864,
	ETHERTYPE_8021AD = 0x88a8,
	ETHERTYPE_ERSPAN2 = 0x88be,
	ETHERTYPE_9100 = 0x9100,
	ETHERTYPE_9200 = 0x9200,
	ETHERTYPE_9300 = 0x9300,
};

enum { IP_IPIP = 4, IP_UDP = 17, IP_GRE = 47 };
enum { IP_HEADER = 20, UDP_HEADER = 8 };
enum { IP_MORE = 0x2000, IP_OFFSET = 0x1fff };
enum {
	GRE_CHECKSUM = 0x8000,
	GRE_ROUTING = 0x4000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_VERSION = 0x0007,
};
enum { PORT_VXLAN = 4789, PORT_TZSP = 37008 };
enum { PPP_IPV4 = 0x0021, PPP_MPLS = 0x0281 };
enum { LLC_SAPS_IP = 0x0606, LLC_SAPS_SNAP = 0xaaaa };
enum { SNAP_OUI_ETHERTYPE = 0x000000, SNAP_OUI_BRIDGED = 0x0000f8 };
enum { SLL_TYPE_LLC = 4 };
enum { BSD_AF_INET = 2 };

#endif

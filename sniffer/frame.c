/* SPDX-License-Identifier: ISC
 *
 * The way in: a walk from the link layer to UDP. A link type is a row of `links`, what may follow
 * an Ethernet type is a row of `ethertypes`, an encapsulation is one small function. Each function
 * reads its header from the cursor and names the next one; none calls another.
 */
#include <endian.h>
#include <errno.h>

#include "tap82/err.h"
#include "tap82/frame.h"
#include "tap82/reassembly.h"

#include "frame_types.h"
#include "packet_copy.h"

#define STEPS_MAX 48 /* headers in one packet: bounds what nested tunnels may cost */

struct walk;
typedef void (*step_fn)(struct walk *w);

struct walk {
	struct frame_decoder *decoder;
	const struct packet *packet;
	struct datagram *d;
	struct buf b; /* what follows the last header, bounded by its length */
	step_fn next; /* NULL: the end */
	bool found; /* d is a datagram on our ports */
	bool snapped; /* the capture ends before the frame does */
	const uint8_t *frame_end; /* the captured bytes end here, whatever lengths say */
	/* Owned, where packets are kept: those of the reassembled datagram that is walked. */
	struct packet_copy *packets;
};

static bool wrap(struct walk *w, enum frame_encap encap)
{
	if (w->d->encap_count == FRAME_ENCAPS_MAX)
		return false;
	w->d->encaps[w->d->encap_count++] = (uint8_t)encap;
	return true;
}

/* Enters a tunnel, if it is wanted: what is inside has tags of its own. */
static bool tunnel(struct walk *w, enum frame_encap encap)
{
	if (!(w->decoder->want.tunnels & FRAME_BIT(encap)) || !wrap(w, encap))
		return false;
	w->d->vlan_count = 0;
	return true;
}

static void tag(struct walk *w, uint16_t vlan)
{
	if (w->d->vlan_count < FRAME_VLANS_MAX)
		w->d->vlans[w->d->vlan_count++] = vlan & 0xfff;
}

/* A length in a header bounds what follows; one that is too long changes nothing. */
static void bound(struct walk *w, size_t len)
{
	if (len < buf_left(&w->b))
		w->b.end = w->b.p + len;
}

static void read_ethernet(struct walk *w);
static void read_ipv4(struct walk *w);
static void dispatch_ethertype(struct walk *w, uint16_t type);

/* IEEE 802.1Q, 802.1ad, and the 0x9x00 of before: tag control, then the type of what follows. */
static void read_vlan(struct walk *w)
{
	tag(w, buf_u16(&w->b));
	dispatch_ethertype(w, buf_u16(&w->b));
}

/* RFC 3032: labels up to the one with the bottom bit. What follows is not said: IPv4 by its
 * version nibble, else a pseudowire, with (RFC 4448 4.6: 16 zero bits, then a sequence number) or
 * without control word. */
static void read_mpls(struct walk *w)
{
	uint32_t label;

	if (!wrap(w, FRAME_MPLS))
		return;
	do
		label = buf_u32(&w->b);
	while (!(label & 0x100) && !w->b.bad);
	if (buf_peek(&w->b, 0) >> 4 == 4) {
		w->next = read_ipv4;
		return;
	}
	if (buf_peek(&w->b, 0) == 0 && buf_peek(&w->b, 1) == 0)
		buf_skip(&w->b, 4);
	w->next = read_ethernet;
}

/* A PPP protocol number, one byte long if that byte is odd (RFC 1661 6.5). */
static void read_ppp_protocol(struct walk *w)
{
	uint16_t protocol = buf_u8(&w->b);

	if (!(protocol & 1))
		protocol = (uint16_t)(protocol << 8 | buf_u8(&w->b));
	if (protocol == PPP_IPV4)
		w->next = read_ipv4;
	else if (protocol == PPP_MPLS)
		w->next = read_mpls;
}

/* RFC 2516: version and type 0x11, code 0 (session data), session, length. */
static void read_pppoe(struct walk *w)
{
	uint16_t version_code = buf_u16(&w->b);
	uint16_t len;

	buf_skip(&w->b, 2);
	len = buf_u16(&w->b);
	if (version_code != 0x1100 || !wrap(w, FRAME_PPPOE))
		return;
	bound(w, len);
	w->next = read_ppp_protocol;
}

/* IEEE 802.2 with SNAP (RFC 1042), or the IP SAP itself. */
static void read_llc(struct walk *w)
{
	uint16_t saps = buf_u16(&w->b);
	uint8_t control = buf_u8(&w->b);

	if (control != 3 || !wrap(w, FRAME_LLC))
		return;
	if (saps == LLC_SAPS_IP) {
		w->next = read_ipv4;
	} else if (saps == LLC_SAPS_SNAP) {
		uint32_t oui = (uint32_t)buf_u16(&w->b) << 8;

		oui |= buf_u8(&w->b);
		if (oui == SNAP_OUI_ETHERTYPE || oui == SNAP_OUI_BRIDGED)
			dispatch_ethertype(w, buf_u16(&w->b));
	}
}

static const struct {
	uint16_t type;
	step_fn fn;
} ethertypes[] = {
	{ETHERTYPE_IPV4, read_ipv4},
	{ETHERTYPE_8021Q, read_vlan},
	{ETHERTYPE_8021AD, read_vlan},
	{ETHERTYPE_9100, read_vlan},
	{ETHERTYPE_9200, read_vlan},
	{ETHERTYPE_9300, read_vlan},
	{ETHERTYPE_MPLS, read_mpls},
	{ETHERTYPE_MPLS_UPSTREAM, read_mpls},
	{ETHERTYPE_PPPOE, read_pppoe},
};

/* A type below 0x600 is a length and an LLC header follows. Behind a tag of a cooked capture it is
 * the kernel's word for LLC; as a length that would hold nothing. */
static void dispatch_ethertype(struct walk *w, uint16_t type)
{
	if (type < ETHERTYPE_MIN) {
		if (type != SLL_TYPE_LLC)
			bound(w, type);
		w->next = read_llc;
		return;
	}
	for (size_t i = 0; i < sizeof(ethertypes) / sizeof(ethertypes[0]); i++)
		if (ethertypes[i].type == type) {
			w->next = ethertypes[i].fn;
			return;
		}
}

static void read_ethernet(struct walk *w)
{
	w->d->vlan_count = 0;
	buf_skip(&w->b, 12);
	dispatch_ethertype(w, buf_u16(&w->b));
}

/* The frame that ERSPAN carries: the switch has put its VLAN into the ERSPAN header. */
static void read_ethernet_in_vlan(struct walk *w)
{
	buf_skip(&w->b, 12);
	dispatch_ethertype(w, buf_u16(&w->b));
}

static void enter_erspan(struct walk *w, uint16_t version_vlan, uint16_t session)
{
	bool was_tagged = (session >> 11 & 3) == 2; /* a priority tag is one with VLAN 0 */

	if (version_vlan & 0xfff || was_tagged)
		tag(w, version_vlan);
	w->next = read_ethernet_in_vlan;
}

/* ERSPAN (draft-foschiano-erspan 4.1, 4.2): type I has no header of its own and no GRE sequence
 * number, type II has 8 bytes. */
static void read_erspan2(struct walk *w)
{
	uint16_t version_vlan = buf_u16(&w->b);
	uint16_t session = buf_u16(&w->b);

	buf_skip(&w->b, 4);
	enter_erspan(w, version_vlan, session);
}

/* Type III (4.3): 12 bytes, and 8 more where the O bit says so. Frame type 0 is Ethernet. */
static void read_erspan3(struct walk *w)
{
	uint16_t version_vlan = buf_u16(&w->b);
	uint16_t session = buf_u16(&w->b);
	uint16_t flags;

	buf_skip(&w->b, 6);
	flags = buf_u16(&w->b);
	if (flags & 1)
		buf_skip(&w->b, 8);
	if ((flags >> 10 & 31) == 2)
		w->next = read_ipv4;
	else
		enter_erspan(w, version_vlan, session);
}

static bool enter_gre_of_erspan(struct walk *w)
{
	return w->decoder->want.tunnels & FRAME_BIT(FRAME_ERSPAN) && wrap(w, FRAME_GRE) &&
	       tunnel(w, FRAME_ERSPAN);
}

/* RFC 2784, 2890: optional checksum, key, sequence number. Routing (RFC 1701) is not read. */
static void read_gre(struct walk *w)
{
	uint16_t flags = buf_u16(&w->b);
	uint16_t type = buf_u16(&w->b);

	if (flags & (GRE_ROUTING | GRE_VERSION))
		return;
	buf_skip(&w->b, 4 * (size_t)(!!(flags & GRE_CHECKSUM) + !!(flags & GRE_KEY) +
				     !!(flags & GRE_SEQUENCE)));
	if (type == ETHERTYPE_ERSPAN2 || type == ETHERTYPE_ERSPAN3) {
		if (!enter_gre_of_erspan(w))
			return;
		if (type == ETHERTYPE_ERSPAN3)
			w->next = read_erspan3;
		else
			w->next = flags & GRE_SEQUENCE ? read_erspan2 : read_ethernet;
	} else if (tunnel(w, FRAME_GRE)) {
		if (type == ETHERTYPE_TEB)
			w->next = read_ethernet;
		else
			dispatch_ethertype(w, type);
	}
}

/* RFC 7348: flags with the I bit, VNI. */
static void read_vxlan(struct walk *w)
{
	uint8_t flags = buf_u8(&w->b);

	buf_skip(&w->b, 7);
	if (flags & 8 && tunnel(w, FRAME_VXLAN))
		w->next = read_ethernet;
}

/* TZSP: version 1, type 0 (received) or 1, protocol 1 (Ethernet), then tags: 0 is padding, 1 the
 * end, any other has a length byte. */
static void read_tzsp(struct walk *w)
{
	uint8_t version = buf_u8(&w->b);
	uint8_t type = buf_u8(&w->b);
	uint16_t protocol = buf_u16(&w->b);
	uint8_t field;

	if (version != 1 || type > 1 || protocol != 1 || !tunnel(w, FRAME_TZSP))
		return;
	while ((field = buf_u8(&w->b)) != 1 && !w->b.bad)
		if (field != 0)
			buf_skip(&w->b, buf_u8(&w->b));
	w->next = read_ethernet;
}

static void read_ipip(struct walk *w)
{
	if (tunnel(w, FRAME_IPIP))
		w->next = read_ipv4;
}

/* Sixteen bytes at a time, in four lanes that 64 KiB cannot overflow: every byte of every packet
 * goes through here. */
static uint64_t checksum_add_blocks(const uint8_t *p, size_t blocks)
{
	typedef uint32_t lanes __attribute__((vector_size(16)));
	lanes even = {0}, odd = {0}, block;

	for (; blocks > 0; blocks--, p += sizeof(block)) {
		memcpy(&block, p, sizeof(block));
		even += block & 0xffff;
		odd += block >> 16;
	}
	even += odd;
	return (uint64_t)even[0] + even[1] + even[2] + even[3];
}

/* RFC 1071 over bytes in memory order; the sum of a right one and its checksum is 0xffff. */
static uint64_t checksum_add(uint64_t sum, const uint8_t *p, size_t len)
{
	uint32_t word;

	if (len >= 64) {
		sum += checksum_add_blocks(p, len / 16);
		p += len & ~(size_t)15;
		len &= 15;
	}
	for (; len >= 4; p += 4, len -= 4) {
		memcpy(&word, p, 4);
		sum += word;
	}
	for (word = 0; len > 0; len--)
		word = word << 8 | p[len - 1];
	return sum + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap32(word) : word);
}

static bool checksum_is_right(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/* The pseudo header of RFC 768: the words that its bytes are in memory. */
static bool udp_checksum_is_right(const struct datagram *d, const uint8_t *udp, uint16_t len)
{
	uint64_t sum = (uint64_t)htobe32(d->src) + htobe32(d->dst) + htobe16(IP_UDP) + htobe16(len);

	return checksum_is_right(checksum_add(sum, udp, len));
}

/* Whether a port is DHCP's or RADIUS' (RFC 2131 4.1, PXE's 4011, RFC 2865, 2866, 5176). */
static bool port_is_ours(uint16_t port)
{
	switch (port) {
	case 67:
	case 68:
	case 1645:
	case 1646:
	case 1700:
	case 1812:
	case 1813:
	case 3799:
	case 4011: return true;
	}
	return false;
}

static void check_udp_checksum(struct walk *w, const uint8_t *udp, uint16_t len, uint16_t checksum)
{
	if (checksum && !udp_checksum_is_right(w->d, udp, len))
		w->d->damaged |= FRAME_UDP_CHECKSUM;
}

/* The UDP header claims more than the IP header leaves: the IP length lies if the frame has it. */
static void grow_to_udp_length(struct walk *w, const uint8_t *udp, uint16_t len)
{
	if (w->d->damaged & (FRAME_SNAPPED | FRAME_FRAGMENTS | FRAME_IP_LENGTH))
		return;
	if (w->frame_end && len <= (size_t)(w->frame_end - udp)) {
		w->d->damaged |= FRAME_IP_LENGTH;
		w->b.end = udp + len;
	} else {
		w->d->damaged |= FRAME_UDP_LENGTH;
	}
}

/* Which of the two lengths lies? A UDP length that is less than the IP header leaves is believed
 * where that one is known to lie, or where the checksum proves it. In doubt there is more to
 * decode, not less. */
static void bound_by_udp_length(struct walk *w, const uint8_t *udp, uint16_t len, uint16_t checksum)
{
	size_t have = (size_t)(w->b.end - udp);
	bool proved;

	if (len > have) {
		grow_to_udp_length(w, udp, len);
		return;
	}
	proved = len == have || w->d->damaged & FRAME_IP_LENGTH ||
		 (checksum && udp_checksum_is_right(w->d, udp, len));
	if (len < UDP_HEADER || !proved) {
		w->d->damaged |= FRAME_UDP_LENGTH;
		return;
	}
	w->b.end = udp + len;
	check_udp_checksum(w, udp, len, checksum);
}

/* RFC 768. */
static void read_udp(struct walk *w)
{
	const uint8_t *udp = w->b.p;
	uint16_t sport = buf_u16(&w->b);
	uint16_t dport = buf_u16(&w->b);
	uint16_t len = buf_u16(&w->b);
	uint16_t checksum = buf_u16(&w->b);

	if (dport == PORT_VXLAN || dport == PORT_TZSP) {
		w->next = dport == PORT_VXLAN ? read_vxlan : read_tzsp;
		return;
	}
	if (w->b.bad || (!port_is_ours(sport) && !port_is_ours(dport)))
		return;
	bound_by_udp_length(w, udp, len, checksum);
	w->d->sport = sport;
	w->d->dport = dport;
	w->d->payload = w->b;
	w->found = true;
}

static step_fn protocol_step(uint8_t protocol)
{
	switch (protocol) {
	case IP_UDP: return read_udp;
	case IP_GRE: return read_gre;
	case IP_IPIP: return read_ipip;
	}
	return NULL;
}

/* The packets that this fragment came in: one, or those of the tunnel's fragments around it. */
static struct packet_copy *packets_of(struct walk *w)
{
	struct packet_copy *packets = w->packets;

	w->packets = NULL;
	if (!packets && w->packet)
		packets = packet_copy_new(w->packet, w->decoder->fragments);
	return packets;
}

/* Fragments go to where they wait; the one that completes a datagram goes on with all of it. */
static void read_fragment(struct walk *w, struct fragment *fragment)
{
	uint8_t damaged;

	w->decoder->fragments++;
	fragment->payload = w->b;
	fragment->place = w->d;
	fragment->packets = w->decoder->keep_packets ? packets_of(w) : NULL;
	if (w->decoder->keep_packets && !fragment->packets)
		return; /* no memory */
	if (!reassembly_add(w->decoder->reassembly, fragment, &w->b, &damaged))
		return;
	w->decoder->reassembled++;
	w->packets = reassembly_take_packets(w->decoder->reassembly);
	w->d->damaged = damaged;
	w->frame_end = NULL;
	w->next = protocol_step(fragment->protocol);
}

/* The total length bounds the packet: less than the frame is a trailer, more is snapped or a lie,
 * as is less than the header. 0 is left by cards that cut the packet later (TSO): all there is. */
static void bound_by_ip_length(struct walk *w, uint16_t total, size_t header)
{
	size_t have = buf_left(&w->b) + header;

	if (total < header) {
		w->d->damaged |= FRAME_IP_LENGTH;
	} else if (total > have) {
		size_t uncaptured = w->snapped ? w->packet->wire_len - w->packet->len : 0;

		w->d->damaged |= total <= have + uncaptured ? FRAME_SNAPPED : FRAME_IP_LENGTH;
	} else {
		bound(w, total - header);
	}
}

/* RFC 791 3.1. */
static void read_ipv4(struct walk *w)
{
	const uint8_t *start = w->b.p;
	uint8_t version_ihl = buf_u8(&w->b);
	size_t header = 4 * (size_t)(version_ihl & 15);
	struct fragment fragment;
	uint16_t total, where;

	buf_skip(&w->b, 1);
	total = buf_u16(&w->b);
	fragment.id = buf_u16(&w->b);
	where = buf_u16(&w->b);
	buf_skip(&w->b, 1);
	fragment.protocol = buf_u8(&w->b);
	buf_skip(&w->b, 2);
	w->d->src = buf_u32(&w->b);
	w->d->dst = buf_u32(&w->b);
	if (header < IP_HEADER || version_ihl >> 4 != 4)
		return;
	buf_skip(&w->b, header - IP_HEADER);
	if (w->b.bad || !(w->next = protocol_step(fragment.protocol)))
		return;
	if (!checksum_is_right(checksum_add(0, start, header)))
		w->d->damaged |= FRAME_IP_CHECKSUM;
	bound_by_ip_length(w, total, header);
	if (!(where & (IP_MORE | IP_OFFSET)))
		return;
	w->next = NULL;
	fragment.at = (uint16_t)((where & IP_OFFSET) * 8);
	fragment.more = where & IP_MORE;
	fragment.claimed = total > header ? (uint16_t)(total - header) : (uint16_t)buf_left(&w->b);
	read_fragment(w, &fragment);
}

/* BSD loopback: an address family in the byte order of the machine that captured. */
static void read_null(struct walk *w)
{
	uint32_t family = buf_u32(&w->b);

	if (family == BSD_AF_INET || family == (uint32_t)BSD_AF_INET << 24)
		w->next = read_ipv4;
}

/* PPP, with (RFC 1662) or without address and control. */
static void read_ppp(struct walk *w)
{
	if (buf_peek(&w->b, 0) == 0xff && buf_peek(&w->b, 1) == 3)
		buf_skip(&w->b, 2);
	w->next = read_ppp_protocol;
}

static void read_sll(struct walk *w)
{
	uint16_t type;

	buf_skip(&w->b, 14);
	type = buf_u16(&w->b);
	if (type == SLL_TYPE_LLC)
		w->next = read_llc;
	else if (type >= ETHERTYPE_MIN)
		dispatch_ethertype(w, type);
}

static void read_sll2(struct walk *w)
{
	uint16_t type = buf_u16(&w->b);

	buf_skip(&w->b, 18);
	if (type == SLL_TYPE_LLC)
		w->next = read_llc;
	else if (type >= ETHERTYPE_MIN)
		dispatch_ethertype(w, type);
}

static const struct {
	int link_type;
	step_fn fn;
} links[] = {
	{LINK_ETHERNET, read_ethernet},
	{LINK_RAW, read_ipv4},
	{LINK_RAW_BSD, read_ipv4},
	{LINK_RAW_OPENBSD, read_ipv4},
	{LINK_IPV4, read_ipv4},
	{LINK_NULL, read_null},
	{LINK_LOOP, read_null},
	{LINK_PPP, read_ppp},
	{LINK_PPP_HDLC, read_ppp},
	{LINK_LINUX_SLL, read_sll},
	{LINK_LINUX_SLL2, read_sll2},
};

static step_fn link_step(int link_type)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].link_type == link_type)
			return links[i].fn;
	return NULL;
}

static void forget_packets(struct frame_decoder *decoder)
{
	if (decoder->packets)
		packet_copy_free(decoder->packets);
	decoder->packets = NULL;
}

/* Runs the walk to its end: 1 if it found a datagram that is wanted. */
static int walk_on(struct walk *w)
{
	for (int steps = 0; w->next && steps < STEPS_MAX && !w->b.bad; steps++) {
		step_fn fn = w->next;

		w->next = NULL;
		fn(w);
	}
	w->decoder->packets = w->packets;
	if (!w->found || (w->decoder->want.by_vlan && !frame_want_takes(&w->decoder->want, w->d)))
		return 0;
	if (w->d->damaged)
		w->decoder->damaged++;
	return 1;
}

int frame_decode(
	struct frame_decoder *decoder, const struct packet *packet, struct datagram *ret_datagram)
{
	struct walk w = {.decoder = decoder, .packet = packet, .d = ret_datagram};

	w.b = buf_of(packet->bytes, packet->len);
	w.frame_end = w.b.end;
	w.snapped = packet->wire_len > packet->len;
	w.next = link_step(packet->link_type);
	ret_datagram->time = packet->time;
	ret_datagram->vlan_count = 0;
	ret_datagram->encap_count = 0;
	ret_datagram->damaged = 0;
	forget_packets(decoder);
	return walk_on(&w);
}

int frame_flush(struct frame_decoder *decoder, int64_t before, struct datagram *ret_datagram)
{
	struct walk w = {.decoder = decoder, .d = ret_datagram};
	uint8_t protocol;

	while (reassembly_flush(decoder->reassembly, before, ret_datagram, &protocol, &w.b)) {
		w.next = protocol_step(protocol);
		forget_packets(decoder);
		w.packets = reassembly_take_packets(decoder->reassembly);
		if (walk_on(&w))
			return 1;
	}
	return 0;
}

int frame_decoder_init(struct frame_decoder *decoder, const struct frame_want *want)
{
	*decoder = (struct frame_decoder){.want.tunnels = FRAME_TUNNELS_ALL};
	if (want)
		decoder->want = *want;
	decoder->reassembly = reassembly_new();
	return decoder->reassembly ? 0 : -ENOMEM;
}

void frame_decoder_done(struct frame_decoder *decoder)
{
	forget_packets(decoder);
	reassembly_free(decoder->reassembly);
	decoder->reassembly = NULL;
}

/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "radius_words.h"

const struct radius_word radius_codes[] = {
	{1, "Access-Request"},
	{2, "Access-Accept"},
	{3, "Access-Reject"},
	{4, "Accounting-Request"},
	{5, "Accounting-Response"},
	{11, "Access-Challenge"},
	{12, "Status-Server"},
	{13, "Status-Client"},
	{40, "Disconnect-Request"},
	{41, "Disconnect-ACK"},
	{42, "Disconnect-NAK"},
	{43, "CoA-Request"},
	{44, "CoA-ACK"},
	{45, "CoA-NAK"},
	{0, NULL},
};

const struct radius_word radius_service_types[] = {
	{1, "Login"},
	{2, "Framed"},
	{3, "Callback Login"},
	{4, "Callback Framed"},
	{5, "Outbound"},
	{6, "Administrative"},
	{7, "NAS Prompt"},
	{8, "Authenticate Only"},
	{9, "Callback NAS Prompt"},
	{10, "Call Check"},
	{11, "Callback Administrative"},
	{12, "Voice"},
	{13, "Fax"},
	{14, "Modem Relay"},
	{15, "IAPP-Register"},
	{16, "IAPP-AP-Check"},
	{17, "Authorize Only"},
	{18, "Framed-Management"},
	{19, "Additional-Authorization"},
	{0, NULL},
};

const struct radius_word radius_framed_protocols[] = {
	{1, "PPP"},
	{2, "SLIP"},
	{3, "AppleTalk Remote Access Protocol (ARAP)"},
	{4, "Gandalf proprietary SingleLink/MultiLink protocol"},
	{5, "Xylogics proprietary IPX/SLIP"},
	{6, "X.75 Synchronous"},
	{7, "GPRS PDP Context"},
	{0, NULL},
};

/* 9 to 14: RFC 2867. */
const struct radius_word radius_acct_status_types[] = {
	{1, "Start"},
	{2, "Stop"},
	{3, "Interim-Update"},
	{7, "Accounting-On"},
	{8, "Accounting-Off"},
	{9, "Tunnel-Start"},
	{10, "Tunnel-Stop"},
	{11, "Tunnel-Reject"},
	{12, "Tunnel-Link-Start"},
	{13, "Tunnel-Link-Stop"},
	{14, "Tunnel-Link-Reject"},
	{15, "Failed"},
	{0, NULL},
};

const struct radius_word radius_acct_authentics[] = {
	{1, "RADIUS"},
	{2, "Local"},
	{3, "Remote"},
	{4, "Diameter"},
	{0, NULL},
};

const struct radius_word radius_terminate_causes[] = {
	{1, "User Request"},
	{2, "Lost Carrier"},
	{3, "Lost Service"},
	{4, "Idle Timeout"},
	{5, "Session Timeout"},
	{6, "Admin Reset"},
	{7, "Admin Reboot"},
	{8, "Port Error"},
	{9, "NAS Error"},
	{10, "NAS Request"},
	{11, "NAS Reboot"},
	{12, "Port Unneeded"},
	{13, "Port Preempted"},
	{14, "Port Suspended"},
	{15, "Service Unavailable"},
	{16, "Callback"},
	{17, "User Error"},
	{18, "Host Request"},
	{19, "Supplicant Restart"},
	{20, "Reauthentication Failure"},
	{21, "Port Reinitialized"},
	{22, "Port Administratively Disabled"},
	{23, "Lost Power"},
	{0, NULL},
};

const struct radius_word radius_nas_port_types[] = {
	{0, "Async"},
	{1, "Sync"},
	{2, "ISDN Sync"},
	{3, "ISDN Async V.120"},
	{4, "ISDN Async V.110"},
	{5, "Virtual"},
	{6, "PIAFS"},
	{7, "HDLC Clear Channel"},
	{8, "X.25"},
	{9, "X.75"},
	{10, "G.3 Fax"},
	{11, "SDSL - Symmetric DSL"},
	{12, "ADSL-CAP - Asymmetric DSL, Carrierless Amplitude Phase Modulation"},
	{13, "ADSL-DMT - Asymmetric DSL, Discrete Multi-Tone"},
	{14, "IDSL - ISDN Digital Subscriber Line"},
	{15, "Ethernet"},
	{16, "xDSL - Digital Subscriber Line of unknown type"},
	{17, "Cable"},
	{18, "Wireless - Other"},
	{19, "Wireless - IEEE 802.11"},
	{20, "Token-Ring"},
	{21, "FDDI"},
	{22, "Wireless - CDMA2000"},
	{23, "Wireless - UMTS"},
	{24, "Wireless - 1X-EV"},
	{25, "IAPP"},
	{26, "FTTP - Fiber to the Premises"},
	{27, "Wireless - IEEE 802.16"},
	{28, "Wireless - IEEE 802.20"},
	{29, "Wireless - IEEE 802.22"},
	{30, "PPPoA - PPP over ATM"},
	{31, "PPPoEoA - PPP over Ethernet over ATM"},
	{32, "PPPoEoE - PPP over Ethernet over Ethernet"},
	{33, "PPPoEoVLAN - PPP over Ethernet over VLAN"},
	{34, "PPPoEoQinQ - PPP over Ethernet over IEEE 802.1QinQ"},
	{35, "xPON - Passive Optical Network"},
	{36, "Wireless - XGP"},
	{0, NULL},
};

const struct radius_word radius_error_causes[] = {
	{201, "Residual Session Context Removed"},
	{202, "Invalid EAP Packet (Ignored)"},
	{401, "Unsupported Attribute"},
	{402, "Missing Attribute"},
	{403, "NAS Identification Mismatch"},
	{404, "Invalid Request"},
	{405, "Unsupported Service"},
	{406, "Unsupported Extension"},
	{407, "Invalid Attribute Value"},
	{501, "Administratively Prohibited"},
	{502, "Request Not Routable (Proxy)"},
	{503, "Session Context Not Found"},
	{504, "Session Context Not Removable"},
	{505, "Other Proxy Processing Error"},
	{506, "Resources Unavailable"},
	{507, "Request Initiated"},
	{508, "Multiple Session Selection Unsupported"},
	{509, "Location-Info-Required"},
	{601, "Response Too Big"},
	{0, NULL},
};

const struct radius_word radius_tunnel_types[] = {
	{1, "Point-to-Point Tunneling Protocol (PPTP)"},
	{2, "Layer Two Forwarding (L2F)"},
	{3, "Layer Two Tunneling Protocol (L2TP)"},
	{4, "Ascend Tunnel Management Protocol (ATMP)"},
	{5, "Virtual Tunneling Protocol (VTP)"},
	{6, "IP Authentication Header in the Tunnel-mode (AH)"},
	{7, "IP-in-IP Encapsulation (IP-IP)"},
	{8, "Minimal IP-in-IP Encapsulation (MIN-IP-IP)"},
	{9, "IP Encapsulating Security Payload in the Tunnel-mode (ESP)"},
	{10, "Generic Route Encapsulation (GRE)"},
	{11, "Bay Dial Virtual Services (DVS)"},
	{12, "IP-in-IP Tunneling"},
	{13, "Virtual LANs (VLAN)"},
	{0, NULL},
};

const struct radius_word radius_tunnel_media[] = {
	{1, "IPv4 (IP version 4)"},
	{2, "IPv6 (IP version 6)"},
	{3, "NSAP"},
	{4, "HDLC (8-bit multidrop)"},
	{5, "BBN 1822"},
	{6, "802 (includes all 802 media plus Ethernet \"canonical format\")"},
	{7, "E.163 (POTS)"},
	{8, "E.164 (SMDS, Frame Relay, ATM)"},
	{0, NULL},
};

const char *radius_word(const struct radius_word *words, uint32_t value)
{
	for (; words->word; words++)
		if (words->value == value)
			return words->word;
	return NULL;
}

void radius_word_write(
	struct writer *w, const char *key, const struct radius_word *words, uint32_t value)
{
	const char *word = radius_word(words, value);
	char number[12];

	snprintf(number, sizeof(number), "%u", value);
	writer_str(w, key, word ? word : number);
}

const char *radius_code_text(uint8_t code)
{
	return radius_word(radius_codes, code);
}

/* SPDX-License-Identifier: ISC
 *
 * floor FILE.pcap: counts the packets of a file through libpcap and does nothing else. It is what
 * `decode --stats` and `replay` are measured against.
 */
#include <pcap/pcap.h>
#include <stdio.h>

static void count_packet(u_char *ctx, const struct pcap_pkthdr *header, const u_char *bytes)
{
	unsigned long long *count = (unsigned long long *)(void *)ctx;

	(void)header;
	(void)bytes;
	++*count;
}

int main(int argc, char **argv)
{
	char error[PCAP_ERRBUF_SIZE];
	unsigned long long count = 0;
	pcap_t *file = argc == 2 ? pcap_open_offline(argv[1], error) : NULL;

	if (!file) {
		fputs("usage: floor FILE.pcap\n", stderr);
		return 2;
	}
	pcap_loop(file, -1, count_packet, (u_char *)&count);
	pcap_close(file);
	printf("%llu\n", count);
	return 0;
}

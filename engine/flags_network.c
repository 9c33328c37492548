/* flags_network.c - flags and constants of sockets and of waiting for descriptors.
 * How a set is written and found: flags.h. Sets are in order of their names, since they are looked
 * up by bisection; the rows of a set are in the order in which they are tried and printed. */
#include "flags.h"

static const struct lt_flag arphrd[] = {
    {0x0001, "ARPHRD_ETHER"},
    {0x0304, "ARPHRD_LOOPBACK"},
    {0xfffe, "ARPHRD_NONE"},
};

static const struct lt_flag epoll[] = {
    {0x00000001, "EPOLLIN"},        {0x00000002, "EPOLLPRI"},    {0x00000004, "EPOLLOUT"},
    {0x00000008, "EPOLLERR"},       {0x00000010, "EPOLLHUP"},    {0x00000020, "EPOLLNVAL"},
    {0x00000040, "EPOLLRDNORM"},    {0x00000080, "EPOLLRDBAND"}, {0x00000100, "EPOLLWRNORM"},
    {0x00000200, "EPOLLWRBAND"},    {0x00000400, "EPOLLMSG"},    {0x00002000, "EPOLLRDHUP"},
    {0x10000000, "EPOLLEXCLUSIVE"}, {0x20000000, "EPOLLWAKEUP"}, {0x40000000, "EPOLLONESHOT"},
    {0x80000000, "EPOLLET"},
};

static const struct lt_flag epoll_create[] = {
    {0x00080000, "EPOLL_CLOEXEC"},
};

static const struct lt_flag epoll_ctl[] = {
    {0x01, "EPOLL_CTL_ADD"},
    {0x02, "EPOLL_CTL_DEL"},
    {0x03, "EPOLL_CTL_MOD"},
};

static const struct lt_flag eth_protocol[] = {
    {0x0003, "ETH_P_ALL"},
    {0x0800, "ETH_P_IP"},
    {0x0806, "ETH_P_ARP"},
    {0x86dd, "ETH_P_IPV6"},
};

static const struct lt_flag family[] = {
    {0x00, "AF_UNSPEC"},     {0x01, "AF_UNIX"},      {0x02, "AF_INET"},     {0x03, "AF_AX25"},
    {0x04, "AF_IPX"},        {0x05, "AF_APPLETALK"}, {0x06, "AF_NETROM"},   {0x07, "AF_BRIDGE"},
    {0x08, "AF_ATMPVC"},     {0x09, "AF_X25"},       {0x0a, "AF_INET6"},    {0x0b, "AF_ROSE"},
    {0x0c, "AF_DECnet"},     {0x0d, "AF_NETBEUI"},   {0x0e, "AF_SECURITY"}, {0x0f, "AF_KEY"},
    {0x10, "AF_NETLINK"},    {0x11, "AF_PACKET"},    {0x12, "AF_ASH"},      {0x13, "AF_ECONET"},
    {0x14, "AF_ATMSVC"},     {0x15, "AF_RDS"},       {0x16, "AF_SNA"},      {0x17, "AF_IRDA"},
    {0x18, "AF_PPPOX"},      {0x19, "AF_WANPIPE"},   {0x1a, "AF_LLC"},      {0x1b, "AF_IB"},
    {0x1c, "AF_MPLS"},       {0x1d, "AF_CAN"},       {0x1e, "AF_TIPC"},     {0x1f, "AF_BLUETOOTH"},
    {0x20, "AF_IUCV"},       {0x21, "AF_RXRPC"},     {0x22, "AF_ISDN"},     {0x23, "AF_PHONET"},
    {0x24, "AF_IEEE802154"}, {0x25, "AF_CAIF"},      {0x26, "AF_ALG"},      {0x27, "AF_NFC"},
    {0x28, "AF_VSOCK"},      {0x29, "AF_KCM"},       {0x2a, "AF_QIPCRTR"},  {0x2b, "AF_SMC"},
    {0x2c, "AF_XDP"},        {0x2d, "AF_MCTP"},
};

static const struct lt_flag ip_protocol[] = {
    {0x0000, "IPPROTO_IP"},      {0x0001, "IPPROTO_ICMP"},     {0x0002, "IPPROTO_IGMP"},
    {0x0004, "IPPROTO_IPIP"},    {0x0006, "IPPROTO_TCP"},      {0x0008, "IPPROTO_EGP"},
    {0x000c, "IPPROTO_PUP"},     {0x0011, "IPPROTO_UDP"},      {0x0016, "IPPROTO_IDP"},
    {0x001d, "IPPROTO_TP"},      {0x0021, "IPPROTO_DCCP"},     {0x0029, "IPPROTO_IPV6"},
    {0x002b, "IPPROTO_ROUTING"}, {0x002c, "IPPROTO_FRAGMENT"}, {0x002e, "IPPROTO_RSVP"},
    {0x002f, "IPPROTO_GRE"},     {0x0032, "IPPROTO_ESP"},      {0x0033, "IPPROTO_AH"},
    {0x003a, "IPPROTO_ICMPV6"},  {0x003b, "IPPROTO_NONE"},     {0x003c, "IPPROTO_DSTOPTS"},
    {0x005c, "IPPROTO_MTP"},     {0x005e, "IPPROTO_BEETPH"},   {0x0062, "IPPROTO_ENCAP"},
    {0x0067, "IPPROTO_PIM"},     {0x006c, "IPPROTO_COMP"},     {0x0073, "IPPROTO_L2TP"},
    {0x0084, "IPPROTO_SCTP"},    {0x0087, "IPPROTO_MH"},       {0x0088, "IPPROTO_UDPLITE"},
    {0x0089, "IPPROTO_MPLS"},    {0x008f, "IPPROTO_ETHERNET"}, {0x00ff, "IPPROTO_RAW"},
    {0x0106, "IPPROTO_MPTCP"},
};

static const struct lt_flag msg[] = {
    {0x00000001, "MSG_OOB"},          {0x00000002, "MSG_PEEK"},
    {0x00000004, "MSG_DONTROUTE"},    {0x00000008, "MSG_CTRUNC"},
    {0x00000010, "MSG_PROBE"},        {0x00000020, "MSG_TRUNC"},
    {0x00000040, "MSG_DONTWAIT"},     {0x00000080, "MSG_EOR"},
    {0x00000100, "MSG_WAITALL"},      {0x00000200, "MSG_FIN"},
    {0x00000400, "MSG_SYN"},          {0x00000800, "MSG_CONFIRM"},
    {0x00001000, "MSG_RST"},          {0x00002000, "MSG_ERRQUEUE"},
    {0x00004000, "MSG_NOSIGNAL"},     {0x00008000, "MSG_MORE"},
    {0x00010000, "MSG_WAITFORONE"},   {0x00020000, "MSG_SENDPAGE_NOTLAST"},
    {0x00040000, "MSG_BATCH"},        {0x00080000, "MSG_NO_SHARED_FRAGS"},
    {0x04000000, "MSG_ZEROCOPY"},     {0x20000000, "MSG_FASTOPEN"},
    {0x40000000, "MSG_CMSG_CLOEXEC"}, {0x80000000, "MSG_CMSG_COMPAT"},
};

static const struct lt_flag netlink_protocol[] = {
    {0x00, "NETLINK_ROUTE"},      {0x01, "NETLINK_UNUSED"},
    {0x02, "NETLINK_USERSOCK"},   {0x03, "NETLINK_FIREWALL"},
    {0x04, "NETLINK_SOCK_DIAG"},  {0x05, "NETLINK_NFLOG"},
    {0x06, "NETLINK_XFRM"},       {0x07, "NETLINK_SELINUX"},
    {0x08, "NETLINK_ISCSI"},      {0x09, "NETLINK_AUDIT"},
    {0x0a, "NETLINK_FIB_LOOKUP"}, {0x0b, "NETLINK_CONNECTOR"},
    {0x0c, "NETLINK_NETFILTER"},  {0x0d, "NETLINK_IP6_FW"},
    {0x0e, "NETLINK_DNRTMSG"},    {0x0f, "NETLINK_KOBJECT_UEVENT"},
    {0x10, "NETLINK_GENERIC"},    {0x12, "NETLINK_SCSITRANSPORT"},
    {0x13, "NETLINK_ECRYPTFS"},   {0x14, "NETLINK_RDMA"},
    {0x15, "NETLINK_CRYPTO"},     {0x16, "NETLINK_SMC"},
};

static const struct lt_flag nlm_flags[] = {
    {0x01, "NLM_F_REQUEST"}, {0x02, "NLM_F_MULTI"},     {0x04, "NLM_F_ACK"},
    {0x08, "NLM_F_ECHO"},    {0x10, "NLM_F_DUMP_INTR"}, {0x20, "NLM_F_DUMP_FILTERED"},
};

static const struct lt_flag packet_type[] = {
    {0x00, "PACKET_HOST"},      {0x01, "PACKET_BROADCAST"}, {0x02, "PACKET_MULTICAST"},
    {0x03, "PACKET_OTHERHOST"}, {0x04, "PACKET_OUTGOING"},  {0x05, "PACKET_LOOPBACK"},
};

static const struct lt_flag poll[] = {
    {0x0001, "POLLIN"},     {0x0002, "POLLPRI"},        {0x0004, "POLLOUT"},
    {0x0008, "POLLERR"},    {0x0010, "POLLHUP"},        {0x0020, "POLLNVAL"},
    {0x0040, "POLLRDNORM"}, {0x0080, "POLLRDBAND"},     {0x0100, "POLLWRNORM"},
    {0x0200, "POLLWRBAND"}, {0x0400, "POLLMSG"},        {0x1000, "POLLREMOVE"},
    {0x2000, "POLLRDHUP"},  {0x8000, "POLL_BUSY_LOOP"},
};

static const struct lt_flag scm[] = {
    {0x01, "SCM_RIGHTS"},
    {0x02, "SCM_CREDENTIALS"},
    {0x03, "SCM_SECURITY"},
    {0x04, "SCM_PIDFD"},
};

static const struct lt_flag shut[] = {
    {0x00, "SHUT_RD"},
    {0x01, "SHUT_WR"},
    {0x02, "SHUT_RDWR"},
};

static const struct lt_flag sock_bits[] = {
    {0x00080000, "SOCK_CLOEXEC"},
    {0x00000800, "SOCK_NONBLOCK"},
};

static const struct lt_flag sock_kind[] = {
    {0x01, "SOCK_STREAM"},    {0x02, "SOCK_DGRAM"}, {0x03, "SOCK_RAW"},    {0x04, "SOCK_RDM"},
    {0x05, "SOCK_SEQPACKET"}, {0x06, "SOCK_DCCP"},  {0x0a, "SOCK_PACKET"},
};

static const struct lt_flag socketcall[] = {
    {0x01, "SYS_SOCKET"},      {0x02, "SYS_BIND"},       {0x03, "SYS_CONNECT"},
    {0x04, "SYS_LISTEN"},      {0x05, "SYS_ACCEPT"},     {0x06, "SYS_GETSOCKNAME"},
    {0x07, "SYS_GETPEERNAME"}, {0x08, "SYS_SOCKETPAIR"}, {0x09, "SYS_SEND"},
    {0x0a, "SYS_RECV"},        {0x0b, "SYS_SENDTO"},     {0x0c, "SYS_RECVFROM"},
    {0x0d, "SYS_SHUTDOWN"},    {0x0e, "SYS_SETSOCKOPT"}, {0x0f, "SYS_GETSOCKOPT"},
    {0x10, "SYS_SENDMSG"},     {0x11, "SYS_RECVMSG"},    {0x12, "SYS_ACCEPT4"},
    {0x13, "SYS_RECVMMSG"},    {0x14, "SYS_SENDMMSG"},
};

const struct lt_flags lt_flags_network[] = {
    {"arphrd", LT_ONE, "ARPHRD_???", LT_ROWS(arphrd)},
    {"epoll", LT_BITS, "EPOLL???", LT_ROWS(epoll)},
    {"epoll_create", LT_BITS, "EPOLL_???", LT_ROWS(epoll_create)},
    {"epoll_ctl", LT_ONE, "EPOLL_CTL_???", LT_ROWS(epoll_ctl)},
    {"eth_protocol", LT_ONE, "ETH_P_???", LT_ROWS(eth_protocol)},
    {"family", LT_ONE, "AF_???", LT_ROWS(family)},
    {"ip_protocol", LT_ONE, "IPPROTO_???", LT_ROWS(ip_protocol)},
    {"msg", LT_BITS, "MSG_???", LT_ROWS(msg)},
    {"netlink_protocol", LT_ONE, "NETLINK_???", LT_ROWS(netlink_protocol)},
    {"nlm_flags", LT_BITS, "NLM_F_???", LT_ROWS(nlm_flags)},
    {"packet_type", LT_ONE, "PACKET_???", LT_ROWS(packet_type)},
    {"poll", LT_BITS, "POLL???", LT_ROWS(poll)},
    {"scm", LT_ONE, "SCM_???", LT_ROWS(scm)},
    {"shut", LT_ONE, "SHUT_???", LT_ROWS(shut)},
    {"sock_bits", LT_BITS, "SOCK_???", LT_ROWS(sock_bits)},
    {"sock_kind", LT_ONE, "SOCK_???", LT_ROWS(sock_kind)},
    {"socketcall", LT_ONE, "SYS_???", LT_ROWS(socketcall)},
};
const size_t lt_flags_network_count = sizeof(lt_flags_network) / sizeof(lt_flags_network[0]);

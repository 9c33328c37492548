/* flags_system.c - flags and constants of the system as a whole.
 * How a set is written and found: flags.h. Sets are in order of their names, since they are looked
 * up by bisection; the rows of a set are in the order in which they are tried and printed. */
#include "flags.h"

static const struct lt_flag bpf[] = {
    {0x00, "BPF_MAP_CREATE"},        {0x01, "BPF_MAP_LOOKUP_ELEM"},
    {0x02, "BPF_MAP_UPDATE_ELEM"},   {0x03, "BPF_MAP_DELETE_ELEM"},
    {0x04, "BPF_MAP_GET_NEXT_KEY"},  {0x05, "BPF_PROG_LOAD"},
    {0x06, "BPF_OBJ_PIN"},           {0x07, "BPF_OBJ_GET"},
    {0x08, "BPF_PROG_ATTACH"},       {0x09, "BPF_PROG_DETACH"},
    {0x0a, "BPF_PROG_TEST_RUN"},     {0x0b, "BPF_PROG_GET_NEXT_ID"},
    {0x0c, "BPF_MAP_GET_NEXT_ID"},   {0x0d, "BPF_PROG_GET_FD_BY_ID"},
    {0x0e, "BPF_MAP_GET_FD_BY_ID"},  {0x0f, "BPF_OBJ_GET_INFO_BY_FD"},
    {0x10, "BPF_PROG_QUERY"},        {0x11, "BPF_RAW_TRACEPOINT_OPEN"},
    {0x12, "BPF_BTF_LOAD"},          {0x13, "BPF_BTF_GET_FD_BY_ID"},
    {0x14, "BPF_TASK_FD_QUERY"},     {0x15, "BPF_MAP_LOOKUP_AND_DELETE_ELEM"},
    {0x16, "BPF_MAP_FREEZE"},        {0x17, "BPF_BTF_GET_NEXT_ID"},
    {0x18, "BPF_MAP_LOOKUP_BATCH"},  {0x19, "BPF_MAP_LOOKUP_AND_DELETE_BATCH"},
    {0x1a, "BPF_MAP_UPDATE_BATCH"},  {0x1b, "BPF_MAP_DELETE_BATCH"},
    {0x1c, "BPF_LINK_CREATE"},       {0x1d, "BPF_LINK_UPDATE"},
    {0x1e, "BPF_LINK_GET_FD_BY_ID"}, {0x1f, "BPF_LINK_GET_NEXT_ID"},
    {0x20, "BPF_ENABLE_STATS"},      {0x21, "BPF_ITER_CREATE"},
    {0x22, "BPF_LINK_DETACH"},       {0x23, "BPF_PROG_BIND_MAP"},
    {0x24, "BPF_TOKEN_CREATE"},      {0x25, "BPF_PROG_STREAM_READ_BY_FD"},
};

static const struct lt_flag cap_version[] = {
    {0x19980330, "_LINUX_CAPABILITY_VERSION_1"},
    {0x20071026, "_LINUX_CAPABILITY_VERSION_2"},
    {0x20080522, "_LINUX_CAPABILITY_VERSION_3"},
};

static const struct lt_flag capability[] = {
    {0x00, "CAP_CHOWN"},
    {0x01, "CAP_DAC_OVERRIDE"},
    {0x02, "CAP_DAC_READ_SEARCH"},
    {0x03, "CAP_FOWNER"},
    {0x04, "CAP_FSETID"},
    {0x05, "CAP_KILL"},
    {0x06, "CAP_SETGID"},
    {0x07, "CAP_SETUID"},
    {0x08, "CAP_SETPCAP"},
    {0x09, "CAP_LINUX_IMMUTABLE"},
    {0x0a, "CAP_NET_BIND_SERVICE"},
    {0x0b, "CAP_NET_BROADCAST"},
    {0x0c, "CAP_NET_ADMIN"},
    {0x0d, "CAP_NET_RAW"},
    {0x0e, "CAP_IPC_LOCK"},
    {0x0f, "CAP_IPC_OWNER"},
    {0x10, "CAP_SYS_MODULE"},
    {0x11, "CAP_SYS_RAWIO"},
    {0x12, "CAP_SYS_CHROOT"},
    {0x13, "CAP_SYS_PTRACE"},
    {0x14, "CAP_SYS_PACCT"},
    {0x15, "CAP_SYS_ADMIN"},
    {0x16, "CAP_SYS_BOOT"},
    {0x17, "CAP_SYS_NICE"},
    {0x18, "CAP_SYS_RESOURCE"},
    {0x19, "CAP_SYS_TIME"},
    {0x1a, "CAP_SYS_TTY_CONFIG"},
    {0x1b, "CAP_MKNOD"},
    {0x1c, "CAP_LEASE"},
    {0x1d, "CAP_AUDIT_WRITE"},
    {0x1e, "CAP_AUDIT_CONTROL"},
    {0x1f, "CAP_SETFCAP"},
    {0x20, "CAP_MAC_OVERRIDE"},
    {0x21, "CAP_MAC_ADMIN"},
    {0x22, "CAP_SYSLOG"},
    {0x23, "CAP_WAKE_ALARM"},
    {0x24, "CAP_BLOCK_SUSPEND"},
    {0x25, "CAP_AUDIT_READ"},
    {0x26, "CAP_PERFMON"},
    {0x27, "CAP_BPF"},
    {0x28, "CAP_CHECKPOINT_RESTORE"},
};

static const struct lt_flag finit_module[] = {
    {0x01, "MODULE_INIT_IGNORE_MODVERSIONS"},
    {0x02, "MODULE_INIT_IGNORE_VERMAGIC"},
    {0x04, "MODULE_INIT_COMPRESSED_FILE"},
};

static const struct lt_flag getrandom[] = {
    {0x01, "GRND_NONBLOCK"},
    {0x02, "GRND_RANDOM"},
    {0x04, "GRND_INSECURE"},
};

static const struct lt_flag io_uring_enter[] = {
    {0x01, "IORING_ENTER_GETEVENTS"},       {0x02, "IORING_ENTER_SQ_WAKEUP"},
    {0x04, "IORING_ENTER_SQ_WAIT"},         {0x08, "IORING_ENTER_EXT_ARG"},
    {0x10, "IORING_ENTER_REGISTERED_RING"},
};

static const struct lt_flag io_uring_register[] = {
    {0x00, "IORING_REGISTER_BUFFERS"},        {0x01, "IORING_UNREGISTER_BUFFERS"},
    {0x02, "IORING_REGISTER_FILES"},          {0x03, "IORING_UNREGISTER_FILES"},
    {0x04, "IORING_REGISTER_EVENTFD"},        {0x05, "IORING_UNREGISTER_EVENTFD"},
    {0x06, "IORING_REGISTER_FILES_UPDATE"},   {0x07, "IORING_REGISTER_EVENTFD_ASYNC"},
    {0x08, "IORING_REGISTER_PROBE"},          {0x09, "IORING_REGISTER_PERSONALITY"},
    {0x0a, "IORING_UNREGISTER_PERSONALITY"},  {0x0b, "IORING_REGISTER_RESTRICTIONS"},
    {0x0c, "IORING_REGISTER_ENABLE_RINGS"},   {0x0d, "IORING_REGISTER_FILES2"},
    {0x0e, "IORING_REGISTER_FILES_UPDATE2"},  {0x0f, "IORING_REGISTER_BUFFERS2"},
    {0x10, "IORING_REGISTER_BUFFERS_UPDATE"}, {0x11, "IORING_REGISTER_IOWQ_AFF"},
    {0x12, "IORING_UNREGISTER_IOWQ_AFF"},     {0x13, "IORING_REGISTER_IOWQ_MAX_WORKERS"},
    {0x14, "IORING_REGISTER_RING_FDS"},       {0x15, "IORING_UNREGISTER_RING_FDS"},
    {0x16, "IORING_REGISTER_PBUF_RING"},      {0x17, "IORING_UNREGISTER_PBUF_RING"},
};

static const struct lt_flag kexec[] = {
    {0x01, "KEXEC_ON_CRASH"},
    {0x02, "KEXEC_PRESERVE_CONTEXT"},
    {0x04, "KEXEC_UPDATE_ELFCOREHDR"},
};

static const struct lt_flag kexec_file[] = {
    {0x01, "KEXEC_FILE_UNLOAD"},
    {0x02, "KEXEC_FILE_ON_CRASH"},
    {0x04, "KEXEC_FILE_NO_INITRAMFS"},
};

static const struct lt_flag key_special[] = {
    {0xfffffff8, "KEY_SPEC_REQUESTOR_KEYRING"}, {0xfffffff9, "KEY_SPEC_REQKEY_AUTH_KEY"},
    {0xfffffffa, "KEY_SPEC_GROUP_KEYRING"},     {0xfffffffb, "KEY_SPEC_USER_SESSION_KEYRING"},
    {0xfffffffc, "KEY_SPEC_USER_KEYRING"},      {0xfffffffd, "KEY_SPEC_SESSION_KEYRING"},
    {0xfffffffe, "KEY_SPEC_PROCESS_KEYRING"},   {0xffffffff, "KEY_SPEC_THREAD_KEYRING"},
};

static const struct lt_flag keyctl[] = {
    {0x00, "KEYCTL_GET_KEYRING_ID"},
    {0x01, "KEYCTL_JOIN_SESSION_KEYRING"},
    {0x02, "KEYCTL_UPDATE"},
    {0x03, "KEYCTL_REVOKE"},
    {0x04, "KEYCTL_CHOWN"},
    {0x05, "KEYCTL_SETPERM"},
    {0x06, "KEYCTL_DESCRIBE"},
    {0x07, "KEYCTL_CLEAR"},
    {0x08, "KEYCTL_LINK"},
    {0x09, "KEYCTL_UNLINK"},
    {0x0a, "KEYCTL_SEARCH"},
    {0x0b, "KEYCTL_READ"},
    {0x0c, "KEYCTL_INSTANTIATE"},
    {0x0d, "KEYCTL_NEGATE"},
    {0x0e, "KEYCTL_SET_REQKEY_KEYRING"},
    {0x0f, "KEYCTL_SET_TIMEOUT"},
    {0x10, "KEYCTL_ASSUME_AUTHORITY"},
    {0x11, "KEYCTL_GET_SECURITY"},
    {0x12, "KEYCTL_SESSION_TO_PARENT"},
    {0x13, "KEYCTL_REJECT"},
    {0x14, "KEYCTL_INSTANTIATE_IOV"},
    {0x15, "KEYCTL_INVALIDATE"},
    {0x16, "KEYCTL_GET_PERSISTENT"},
    {0x17, "KEYCTL_DH_COMPUTE"},
    {0x18, "KEYCTL_PKEY_QUERY"},
    {0x19, "KEYCTL_PKEY_ENCRYPT"},
    {0x1a, "KEYCTL_PKEY_DECRYPT"},
    {0x1b, "KEYCTL_PKEY_SIGN"},
    {0x1c, "KEYCTL_PKEY_VERIFY"},
    {0x1d, "KEYCTL_RESTRICT_KEYRING"},
    {0x1e, "KEYCTL_MOVE"},
    {0x1f, "KEYCTL_CAPABILITIES"},
    {0x20, "KEYCTL_WATCH_KEY"},
};

static const struct lt_flag landlock_create[] = {
    {0x01, "LANDLOCK_CREATE_RULESET_VERSION"},
};

static const struct lt_flag landlock_rule[] = {
    {0x01, "LANDLOCK_RULE_PATH_BENEATH"},
    {0x02, "LANDLOCK_RULE_NET_PORT"},
};

static const struct lt_flag perf[] = {
    {0x01, "PERF_FLAG_FD_NO_GROUP"},
    {0x02, "PERF_FLAG_FD_OUTPUT"},
    {0x04, "PERF_FLAG_PID_CGROUP"},
    {0x08, "PERF_FLAG_FD_CLOEXEC"},
};

static const struct lt_flag persona[] = {
    {0x00, "PER_LINUX"},  {0x06, "PER_BSD"},  {0x08, "PER_LINUX32"},
    {0x0c, "PER_RISCOS"}, {0x0f, "PER_OSF4"}, {0x10, "PER_HPUX"},
};

static const struct lt_flag persona_bits[] = {
    {0x00020000, "UNAME26"},
    {0x00040000, "ADDR_NO_RANDOMIZE"},
    {0x00080000, "FDPIC_FUNCPTRS"},
    {0x00100000, "MMAP_PAGE_ZERO"},
    {0x00200000, "ADDR_COMPAT_LAYOUT"},
    {0x00400000, "READ_IMPLIES_EXEC"},
    {0x00800000, "ADDR_LIMIT_32BIT"},
    {0x01000000, "SHORT_INODE"},
    {0x02000000, "WHOLE_SECONDS"},
    {0x04000000, "STICKY_TIMEOUTS"},
    {0x08000000, "ADDR_LIMIT_3GB"},
};

static const struct lt_flag reboot_cmd[] = {
    {0x00000000, "LINUX_REBOOT_CMD_CAD_OFF"},   {0x01234567, "LINUX_REBOOT_CMD_RESTART"},
    {0x4321fedc, "LINUX_REBOOT_CMD_POWER_OFF"}, {0x45584543, "LINUX_REBOOT_CMD_KEXEC"},
    {0x89abcdef, "LINUX_REBOOT_CMD_CAD_ON"},    {0xa1b2c3d4, "LINUX_REBOOT_CMD_RESTART2"},
    {0xcdef0123, "LINUX_REBOOT_CMD_HALT"},      {0xd000fce2, "LINUX_REBOOT_CMD_SW_SUSPEND"},
};

static const struct lt_flag reboot_magic[] = {
    {0x05121996, "LINUX_REBOOT_MAGIC2A"}, {0x16041998, "LINUX_REBOOT_MAGIC2B"},
    {0x20112000, "LINUX_REBOOT_MAGIC2C"}, {0x28121969, "LINUX_REBOOT_MAGIC2"},
    {0xfee1dead, "LINUX_REBOOT_MAGIC1"},
};

static const struct lt_flag syslog[] = {
    {0x00, "SYSLOG_ACTION_CLOSE"},         {0x01, "SYSLOG_ACTION_OPEN"},
    {0x02, "SYSLOG_ACTION_READ"},          {0x03, "SYSLOG_ACTION_READ_ALL"},
    {0x04, "SYSLOG_ACTION_READ_CLEAR"},    {0x05, "SYSLOG_ACTION_CLEAR"},
    {0x06, "SYSLOG_ACTION_CONSOLE_OFF"},   {0x07, "SYSLOG_ACTION_CONSOLE_ON"},
    {0x08, "SYSLOG_ACTION_CONSOLE_LEVEL"}, {0x09, "SYSLOG_ACTION_SIZE_UNREAD"},
    {0x0a, "SYSLOG_ACTION_SIZE_BUFFER"},
};

const struct lt_flags lt_flags_system[] = {
    {"bpf", LT_ONE, "BPF_???", LT_ROWS(bpf)},
    {"cap_version", LT_ONE, "_LINUX_CAPABILITY_VERSION_???", LT_ROWS(cap_version)},
    {"capability", LT_ONE, "CAP_???", LT_ROWS(capability)},
    {"finit_module", LT_BITS, "MODULE_INIT_???", LT_ROWS(finit_module)},
    {"getrandom", LT_BITS, "GRND_???", LT_ROWS(getrandom)},
    {"io_uring_enter", LT_BITS, "IORING_ENTER_???", LT_ROWS(io_uring_enter)},
    {"io_uring_register", LT_ONE, "IORING_REGISTER_???", LT_ROWS(io_uring_register)},
    {"kexec", LT_BITS, "KEXEC_???", LT_ROWS(kexec)},
    {"kexec_file", LT_BITS, "KEXEC_FILE_???", LT_ROWS(kexec_file)},
    {"key_special", LT_ONE, NULL, LT_ROWS(key_special)},
    {"keyctl", LT_ONE, "KEYCTL_???", LT_ROWS(keyctl)},
    {"landlock_create", LT_BITS, NULL, LT_ROWS(landlock_create)},
    {"landlock_rule", LT_ONE, "LANDLOCK_RULE_???", LT_ROWS(landlock_rule)},
    {"perf", LT_BITS, "PERF_FLAG_???", LT_ROWS(perf)},
    {"persona", LT_ONE, "PER_???", LT_ROWS(persona)},
    {"persona_bits", LT_BITS, NULL, LT_ROWS(persona_bits)},
    {"reboot_cmd", LT_ONE, "LINUX_REBOOT_CMD_???", LT_ROWS(reboot_cmd)},
    {"reboot_magic", LT_ONE, "LINUX_REBOOT_MAGIC_???", LT_ROWS(reboot_magic)},
    {"syslog", LT_ONE, "SYSLOG_ACTION_???", LT_ROWS(syslog)},
};
const size_t lt_flags_system_count = sizeof(lt_flags_system) / sizeof(lt_flags_system[0]);

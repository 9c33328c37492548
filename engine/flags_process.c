/* flags_process.c - flags and constants of processes and the system.
 * How a set is written and found: flags.h. Sets are in order of their names, since they are looked
 * up by bisection; the rows of a set are in the order in which they are tried and printed. */
#include "flags.h"

static const struct lt_flag arch_prctl[] = {
    {0x1001, "ARCH_SET_GS"},
    {0x1002, "ARCH_SET_FS"},
    {0x1003, "ARCH_GET_FS"},
    {0x1004, "ARCH_GET_GS"},
    {0x1011, "ARCH_GET_CPUID"},
    {0x1012, "ARCH_SET_CPUID"},
    {0x1021, "ARCH_GET_XCOMP_SUPP"},
    {0x1022, "ARCH_GET_XCOMP_PERM"},
    {0x1023, "ARCH_REQ_XCOMP_PERM"},
    {0x1024, "ARCH_GET_XCOMP_GUEST_PERM"},
    {0x1025, "ARCH_REQ_XCOMP_GUEST_PERM"},
    {0x2001, "ARCH_MAP_VDSO_X32"},
    {0x2002, "ARCH_MAP_VDSO_32"},
    {0x2003, "ARCH_MAP_VDSO_64"},
    {0x4001, "ARCH_GET_UNTAG_MASK"},
    {0x5001, "ARCH_SHSTK_ENABLE"},
    {0x5002, "ARCH_SHSTK_DISABLE"},
    {0x5003, "ARCH_SHSTK_LOCK"},
    {0x5004, "ARCH_SHSTK_UNLOCK"},
    {0x5005, "ARCH_SHSTK_STATUS"},
};

static const struct lt_flag cap_ambient[] = {
    {0x01, "PR_CAP_AMBIENT_IS_SET"},
    {0x02, "PR_CAP_AMBIENT_RAISE"},
    {0x03, "PR_CAP_AMBIENT_LOWER"},
    {0x04, "PR_CAP_AMBIENT_CLEAR_ALL"},
};

static const struct lt_flag clone3_bits[] = {
    {0x00000100, "CLONE_VM"},
    {0x00000200, "CLONE_FS"},
    {0x00000400, "CLONE_FILES"},
    {0x00000800, "CLONE_SIGHAND"},
    {0x00001000, "CLONE_PIDFD"},
    {0x00002000, "CLONE_PTRACE"},
    {0x00004000, "CLONE_VFORK"},
    {0x00008000, "CLONE_PARENT"},
    {0x00010000, "CLONE_THREAD"},
    {0x00020000, "CLONE_NEWNS"},
    {0x00040000, "CLONE_SYSVSEM"},
    {0x00080000, "CLONE_SETTLS"},
    {0x00100000, "CLONE_PARENT_SETTID"},
    {0x00200000, "CLONE_CHILD_CLEARTID"},
    {0x00800000, "CLONE_UNTRACED"},
    {0x01000000, "CLONE_CHILD_SETTID"},
    {0x02000000, "CLONE_NEWCGROUP"},
    {0x04000000, "CLONE_NEWUTS"},
    {0x08000000, "CLONE_NEWIPC"},
    {0x10000000, "CLONE_NEWUSER"},
    {0x20000000, "CLONE_NEWPID"},
    {0x40000000, "CLONE_NEWNET"},
    {0x80000000, "CLONE_IO"},
    {0x100000000, "CLONE_CLEAR_SIGHAND"},
    {0x200000000, "CLONE_INTO_CGROUP"},
    {0x00000080, "CLONE_NEWTIME"},
};

static const struct lt_flag clone_bits[] = {
    {0x00000100, "CLONE_VM"},
    {0x00000200, "CLONE_FS"},
    {0x00000400, "CLONE_FILES"},
    {0x00000800, "CLONE_SIGHAND"},
    {0x00001000, "CLONE_PIDFD"},
    {0x00002000, "CLONE_PTRACE"},
    {0x00004000, "CLONE_VFORK"},
    {0x00008000, "CLONE_PARENT"},
    {0x00010000, "CLONE_THREAD"},
    {0x00020000, "CLONE_NEWNS"},
    {0x00040000, "CLONE_SYSVSEM"},
    {0x00080000, "CLONE_SETTLS"},
    {0x00100000, "CLONE_PARENT_SETTID"},
    {0x00200000, "CLONE_CHILD_CLEARTID"},
    {0x00800000, "CLONE_UNTRACED"},
    {0x01000000, "CLONE_CHILD_SETTID"},
    {0x02000000, "CLONE_NEWCGROUP"},
    {0x04000000, "CLONE_NEWUTS"},
    {0x08000000, "CLONE_NEWIPC"},
    {0x10000000, "CLONE_NEWUSER"},
    {0x20000000, "CLONE_NEWPID"},
    {0x40000000, "CLONE_NEWNET"},
    {0x80000000, "CLONE_IO"},
};

static const struct lt_flag dumpable[] = {
    {0x00, "SUID_DUMP_DISABLE"},
    {0x01, "SUID_DUMP_USER"},
    {0x02, "SUID_DUMP_ROOT"},
};

static const struct lt_flag futex_op[] = {
    {0x00, "FUTEX_WAIT"},           {0x01, "FUTEX_WAKE"},        {0x02, "FUTEX_FD"},
    {0x03, "FUTEX_REQUEUE"},        {0x04, "FUTEX_CMP_REQUEUE"}, {0x05, "FUTEX_WAKE_OP"},
    {0x06, "FUTEX_LOCK_PI"},        {0x07, "FUTEX_UNLOCK_PI"},   {0x08, "FUTEX_TRYLOCK_PI"},
    {0x09, "FUTEX_WAIT_BITSET"},    {0x0a, "FUTEX_WAKE_BITSET"}, {0x0b, "FUTEX_WAIT_REQUEUE_PI"},
    {0x0c, "FUTEX_CMP_REQUEUE_PI"}, {0x0d, "FUTEX_LOCK_PI2"},
};

static const struct lt_flag ioprio_class[] = {
    {0x00, "IOPRIO_CLASS_NONE"},
    {0x01, "IOPRIO_CLASS_RT"},
    {0x02, "IOPRIO_CLASS_BE"},
    {0x03, "IOPRIO_CLASS_IDLE"},
};

static const struct lt_flag ioprio_who[] = {
    {0x01, "IOPRIO_WHO_PROCESS"},
    {0x02, "IOPRIO_WHO_PGRP"},
    {0x03, "IOPRIO_WHO_USER"},
};

static const struct lt_flag kcmp[] = {
    {0x00, "KCMP_FILE"},    {0x01, "KCMP_VM"}, {0x02, "KCMP_FILES"},   {0x03, "KCMP_FS"},
    {0x04, "KCMP_SIGHAND"}, {0x05, "KCMP_IO"}, {0x06, "KCMP_SYSVSEM"}, {0x07, "KCMP_EPOLL_TFD"},
};

static const struct lt_flag membarrier[] = {
    {0x0000, "MEMBARRIER_CMD_QUERY"},
    {0x0001, "MEMBARRIER_CMD_GLOBAL"},
    {0x0002, "MEMBARRIER_CMD_GLOBAL_EXPEDITED"},
    {0x0004, "MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED"},
    {0x0008, "MEMBARRIER_CMD_PRIVATE_EXPEDITED"},
    {0x0010, "MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED"},
    {0x0020, "MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE"},
    {0x0040, "MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE"},
    {0x0080, "MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ"},
    {0x0100, "MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ"},
    {0x0200, "MEMBARRIER_CMD_GET_REGISTRATIONS"},
};

static const struct lt_flag membarrier_flags[] = {
    {0x01, "MEMBARRIER_CMD_FLAG_CPU"},
};

static const struct lt_flag p_which[] = {
    {0x00, "P_ALL"},
    {0x01, "P_PID"},
    {0x02, "P_PGID"},
    {0x03, "P_PIDFD"},
};

static const struct lt_flag pidfd_open[] = {
    {0x0800, "PIDFD_NONBLOCK"},
    {0x0080, "PIDFD_THREAD"},
};

static const struct lt_flag prctl[] = {
    {0x00000001, "PR_SET_PDEATHSIG"},
    {0x00000002, "PR_GET_PDEATHSIG"},
    {0x00000003, "PR_GET_DUMPABLE"},
    {0x00000004, "PR_SET_DUMPABLE"},
    {0x00000005, "PR_GET_UNALIGN"},
    {0x00000006, "PR_SET_UNALIGN"},
    {0x00000007, "PR_GET_KEEPCAPS"},
    {0x00000008, "PR_SET_KEEPCAPS"},
    {0x00000009, "PR_GET_FPEMU"},
    {0x0000000a, "PR_SET_FPEMU"},
    {0x0000000b, "PR_GET_FPEXC"},
    {0x0000000c, "PR_SET_FPEXC"},
    {0x0000000d, "PR_GET_TIMING"},
    {0x0000000e, "PR_SET_TIMING"},
    {0x0000000f, "PR_SET_NAME"},
    {0x00000010, "PR_GET_NAME"},
    {0x00000013, "PR_GET_ENDIAN"},
    {0x00000014, "PR_SET_ENDIAN"},
    {0x00000015, "PR_GET_SECCOMP"},
    {0x00000016, "PR_SET_SECCOMP"},
    {0x00000017, "PR_CAPBSET_READ"},
    {0x00000018, "PR_CAPBSET_DROP"},
    {0x00000019, "PR_GET_TSC"},
    {0x0000001a, "PR_SET_TSC"},
    {0x0000001b, "PR_GET_SECUREBITS"},
    {0x0000001c, "PR_SET_SECUREBITS"},
    {0x0000001d, "PR_SET_TIMERSLACK"},
    {0x0000001e, "PR_GET_TIMERSLACK"},
    {0x0000001f, "PR_TASK_PERF_EVENTS_DISABLE"},
    {0x00000020, "PR_TASK_PERF_EVENTS_ENABLE"},
    {0x00000021, "PR_MCE_KILL"},
    {0x00000022, "PR_MCE_KILL_GET"},
    {0x00000023, "PR_SET_MM"},
    {0x00000024, "PR_SET_CHILD_SUBREAPER"},
    {0x00000025, "PR_GET_CHILD_SUBREAPER"},
    {0x00000026, "PR_SET_NO_NEW_PRIVS"},
    {0x00000027, "PR_GET_NO_NEW_PRIVS"},
    {0x00000028, "PR_GET_TID_ADDRESS"},
    {0x00000029, "PR_SET_THP_DISABLE"},
    {0x0000002a, "PR_GET_THP_DISABLE"},
    {0x0000002b, "PR_MPX_ENABLE_MANAGEMENT"},
    {0x0000002c, "PR_MPX_DISABLE_MANAGEMENT"},
    {0x0000002d, "PR_SET_FP_MODE"},
    {0x0000002e, "PR_GET_FP_MODE"},
    {0x0000002f, "PR_CAP_AMBIENT"},
    {0x00000032, "PR_SVE_SET_VL"},
    {0x00000033, "PR_SVE_GET_VL"},
    {0x00000034, "PR_GET_SPECULATION_CTRL"},
    {0x00000035, "PR_SET_SPECULATION_CTRL"},
    {0x00000036, "PR_PAC_RESET_KEYS"},
    {0x00000037, "PR_SET_TAGGED_ADDR_CTRL"},
    {0x00000038, "PR_GET_TAGGED_ADDR_CTRL"},
    {0x00000039, "PR_SET_IO_FLUSHER"},
    {0x0000003a, "PR_GET_IO_FLUSHER"},
    {0x0000003b, "PR_SET_SYSCALL_USER_DISPATCH"},
    {0x0000003c, "PR_PAC_SET_ENABLED_KEYS"},
    {0x0000003d, "PR_PAC_GET_ENABLED_KEYS"},
    {0x0000003e, "PR_SCHED_CORE"},
    {0x0000003f, "PR_SME_SET_VL"},
    {0x00000040, "PR_SME_GET_VL"},
    {0x00000041, "PR_SET_MDWE"},
    {0x00000042, "PR_GET_MDWE"},
    {0x00000043, "PR_SET_MEMORY_MERGE"},
    {0x00000044, "PR_GET_MEMORY_MERGE"},
    {0x41555856, "PR_GET_AUXV"},
    {0x53564d41, "PR_SET_VMA"},
    {0x59616d61, "PR_SET_PTRACER"},
};

static const struct lt_flag prio[] = {
    {0x00, "PRIO_PROCESS"},
    {0x01, "PRIO_PGRP"},
    {0x02, "PRIO_USER"},
};

static const struct lt_flag ptrace[] = {
    {0x0000, "PTRACE_TRACEME"},
    {0x0001, "PTRACE_PEEKTEXT"},
    {0x0002, "PTRACE_PEEKDATA"},
    {0x0003, "PTRACE_PEEKUSER"},
    {0x0004, "PTRACE_POKETEXT"},
    {0x0005, "PTRACE_POKEDATA"},
    {0x0006, "PTRACE_POKEUSER"},
    {0x0007, "PTRACE_CONT"},
    {0x0008, "PTRACE_KILL"},
    {0x0009, "PTRACE_SINGLESTEP"},
    {0x000c, "PTRACE_GETREGS"},
    {0x000d, "PTRACE_SETREGS"},
    {0x000e, "PTRACE_GETFPREGS"},
    {0x000f, "PTRACE_SETFPREGS"},
    {0x0010, "PTRACE_ATTACH"},
    {0x0011, "PTRACE_DETACH"},
    {0x0012, "PTRACE_GETFPXREGS"},
    {0x0013, "PTRACE_SETFPXREGS"},
    {0x0015, "PTRACE_OLDSETOPTIONS"},
    {0x0018, "PTRACE_SYSCALL"},
    {0x0019, "PTRACE_GET_THREAD_AREA"},
    {0x001a, "PTRACE_SET_THREAD_AREA"},
    {0x001e, "PTRACE_ARCH_PRCTL"},
    {0x001f, "PTRACE_SYSEMU"},
    {0x0020, "PTRACE_SYSEMU_SINGLESTEP"},
    {0x0021, "PTRACE_SINGLEBLOCK"},
    {0x4200, "PTRACE_SETOPTIONS"},
    {0x4201, "PTRACE_GETEVENTMSG"},
    {0x4202, "PTRACE_GETSIGINFO"},
    {0x4203, "PTRACE_SETSIGINFO"},
    {0x4204, "PTRACE_GETREGSET"},
    {0x4205, "PTRACE_SETREGSET"},
    {0x4206, "PTRACE_SEIZE"},
    {0x4207, "PTRACE_INTERRUPT"},
    {0x4208, "PTRACE_LISTEN"},
    {0x4209, "PTRACE_PEEKSIGINFO"},
    {0x420a, "PTRACE_GETSIGMASK"},
    {0x420b, "PTRACE_SETSIGMASK"},
    {0x420c, "PTRACE_SECCOMP_GET_FILTER"},
    {0x420d, "PTRACE_SECCOMP_GET_METADATA"},
    {0x420e, "PTRACE_GET_SYSCALL_INFO"},
    {0x420f, "PTRACE_GET_RSEQ_CONFIGURATION"},
    {0x4210, "PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG"},
    {0x4211, "PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG"},
    {0x4212, "PTRACE_SET_SYSCALL_INFO"},
};

static const struct lt_flag rlimit_name[] = {
    {0x00, "RLIMIT_CPU"},      {0x01, "RLIMIT_FSIZE"},  {0x02, "RLIMIT_DATA"},
    {0x03, "RLIMIT_STACK"},    {0x04, "RLIMIT_CORE"},   {0x05, "RLIMIT_RSS"},
    {0x06, "RLIMIT_NPROC"},    {0x07, "RLIMIT_NOFILE"}, {0x08, "RLIMIT_MEMLOCK"},
    {0x09, "RLIMIT_AS"},       {0x0a, "RLIMIT_LOCKS"},  {0x0b, "RLIMIT_SIGPENDING"},
    {0x0c, "RLIMIT_MSGQUEUE"}, {0x0d, "RLIMIT_NICE"},   {0x0e, "RLIMIT_RTPRIO"},
    {0x0f, "RLIMIT_RTTIME"},
};

static const struct lt_flag rseq[] = {
    {0x01, "RSEQ_FLAG_UNREGISTER"},
};

static const struct lt_flag rusage_who[] = {
    {0x00000000, "RUSAGE_SELF"},
    {0x00000001, "RUSAGE_THREAD"},
    {0xfffffffe, "RUSAGE_BOTH"},
    {0xffffffff, "RUSAGE_CHILDREN"},
};

static const struct lt_flag sched[] = {
    {0x00, "SCHED_OTHER"}, {0x01, "SCHED_FIFO"}, {0x02, "SCHED_RR"},       {0x03, "SCHED_BATCH"},
    {0x04, "SCHED_ISO"},   {0x05, "SCHED_IDLE"}, {0x06, "SCHED_DEADLINE"}, {0x07, "SCHED_EXT"},
};

static const struct lt_flag seccomp_flags[] = {
    {0x01, "SECCOMP_FILTER_FLAG_TSYNC"},       {0x02, "SECCOMP_FILTER_FLAG_LOG"},
    {0x04, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"},  {0x08, "SECCOMP_FILTER_FLAG_NEW_LISTENER"},
    {0x10, "SECCOMP_FILTER_FLAG_TSYNC_ESRCH"}, {0x20, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"},
};

static const struct lt_flag seccomp_mode[] = {
    {0x00, "SECCOMP_MODE_DISABLED"},
    {0x01, "SECCOMP_MODE_STRICT"},
    {0x02, "SECCOMP_MODE_FILTER"},
};

static const struct lt_flag seccomp_op[] = {
    {0x00, "SECCOMP_SET_MODE_STRICT"},
    {0x01, "SECCOMP_SET_MODE_FILTER"},
    {0x02, "SECCOMP_GET_ACTION_AVAIL"},
    {0x03, "SECCOMP_GET_NOTIF_SIZES"},
};

static const struct lt_flag setns[] = {
    {0x00000080, "CLONE_NEWTIME"}, {0x00020000, "CLONE_NEWNS"},  {0x02000000, "CLONE_NEWCGROUP"},
    {0x04000000, "CLONE_NEWUTS"},  {0x08000000, "CLONE_NEWIPC"}, {0x10000000, "CLONE_NEWUSER"},
    {0x20000000, "CLONE_NEWPID"},  {0x40000000, "CLONE_NEWNET"},
};

static const struct lt_flag unshare[] = {
    {0x00000080, "CLONE_NEWTIME"}, {0x00000100, "CLONE_VM"},      {0x00000200, "CLONE_FS"},
    {0x00000400, "CLONE_FILES"},   {0x00000800, "CLONE_SIGHAND"}, {0x00010000, "CLONE_THREAD"},
    {0x00020000, "CLONE_NEWNS"},   {0x00040000, "CLONE_SYSVSEM"}, {0x02000000, "CLONE_NEWCGROUP"},
    {0x04000000, "CLONE_NEWUTS"},  {0x08000000, "CLONE_NEWIPC"},  {0x10000000, "CLONE_NEWUSER"},
    {0x20000000, "CLONE_NEWPID"},  {0x40000000, "CLONE_NEWNET"},
};

static const struct lt_flag wait[] = {
    {0x00000001, "WNOHANG"},    {0x00000004, "WEXITED"},     {0x00000002, "WSTOPPED"},
    {0x00000008, "WCONTINUED"}, {0x01000000, "WNOWAIT"},     {0x80000000, "__WCLONE"},
    {0x40000000, "__WALL"},     {0x20000000, "__WNOTHREAD"},
};

const struct lt_flags lt_flags_process[] = {
    {"arch_prctl", LT_ONE, "ARCH_???", LT_ROWS(arch_prctl)},
    {"cap_ambient", LT_ONE, "PR_CAP_AMBIENT_???", LT_ROWS(cap_ambient)},
    {"clone3_bits", LT_BITS, "CLONE_???", LT_ROWS(clone3_bits)},
    {"clone_bits", LT_BITS, NULL, LT_ROWS(clone_bits)},
    {"dumpable", LT_ONE, "SUID_DUMP_???", LT_ROWS(dumpable)},
    {"futex_op", LT_ONE, "FUTEX_???", LT_ROWS(futex_op)},
    {"ioprio_class", LT_ONE, "IOPRIO_CLASS_???", LT_ROWS(ioprio_class)},
    {"ioprio_who", LT_ONE, "IOPRIO_WHO_???", LT_ROWS(ioprio_who)},
    {"kcmp", LT_ONE, "KCMP_???", LT_ROWS(kcmp)},
    {"membarrier", LT_BITS, "MEMBARRIER_CMD_???", LT_ROWS(membarrier)},
    {"membarrier_flags", LT_BITS, "MEMBARRIER_CMD_FLAG_???", LT_ROWS(membarrier_flags)},
    {"p_which", LT_ONE, "P_???", LT_ROWS(p_which)},
    {"pidfd_open", LT_BITS, "PIDFD_???", LT_ROWS(pidfd_open)},
    {"prctl", LT_ONE, "PR_???", LT_ROWS(prctl)},
    {"prio", LT_ONE, "PRIO_???", LT_ROWS(prio)},
    {"ptrace", LT_ONE, "PTRACE_???", LT_ROWS(ptrace)},
    {"rlimit_name", LT_ONE, "RLIMIT_???", LT_ROWS(rlimit_name)},
    {"rseq", LT_BITS, "RSEQ_FLAG_???", LT_ROWS(rseq)},
    {"rusage_who", LT_ONE, "RUSAGE_???", LT_ROWS(rusage_who)},
    {"sched", LT_ONE, "SCHED_???", LT_ROWS(sched)},
    {"seccomp_flags", LT_BITS, "SECCOMP_FILTER_FLAG_???", LT_ROWS(seccomp_flags)},
    {"seccomp_mode", LT_ONE, "SECCOMP_MODE_???", LT_ROWS(seccomp_mode)},
    {"seccomp_op", LT_ONE, "SECCOMP_SET_MODE_???", LT_ROWS(seccomp_op)},
    {"setns", LT_BITS, "CLONE_NEW???", LT_ROWS(setns)},
    {"unshare", LT_BITS, "CLONE_???", LT_ROWS(unshare)},
    {"wait", LT_BITS, "W???", LT_ROWS(wait)},
};
const size_t lt_flags_process_count = sizeof(lt_flags_process) / sizeof(lt_flags_process[0]);

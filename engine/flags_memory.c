/* flags_memory.c - flags and constants of memory and System V objects.
 * How a set is written and found: flags.h. Sets are in order of their names, since they are looked
 * up by bisection; the rows of a set are in the order in which they are tried and printed. */
#include "flags.h"

static const struct lt_flag get_mempolicy[] = {
    {0x01, "MPOL_F_NODE"},
    {0x02, "MPOL_F_ADDR"},
    {0x04, "MPOL_F_MEMS_ALLOWED"},
};

static const struct lt_flag ipc_bits[] = {
    {0x0200, "IPC_CREAT"},
    {0x0400, "IPC_EXCL"},
    {0x0800, "IPC_NOWAIT"},
};

static const struct lt_flag madvise[] = {
    {0x00, "MADV_NORMAL"},          {0x01, "MADV_RANDOM"},        {0x02, "MADV_SEQUENTIAL"},
    {0x03, "MADV_WILLNEED"},        {0x04, "MADV_DONTNEED"},      {0x08, "MADV_FREE"},
    {0x09, "MADV_REMOVE"},          {0x0a, "MADV_DONTFORK"},      {0x0b, "MADV_DOFORK"},
    {0x0c, "MADV_MERGEABLE"},       {0x0d, "MADV_UNMERGEABLE"},   {0x0e, "MADV_HUGEPAGE"},
    {0x0f, "MADV_NOHUGEPAGE"},      {0x10, "MADV_DONTDUMP"},      {0x11, "MADV_DODUMP"},
    {0x12, "MADV_WIPEONFORK"},      {0x13, "MADV_KEEPONFORK"},    {0x14, "MADV_COLD"},
    {0x15, "MADV_PAGEOUT"},         {0x16, "MADV_POPULATE_READ"}, {0x17, "MADV_POPULATE_WRITE"},
    {0x18, "MADV_DONTNEED_LOCKED"}, {0x19, "MADV_COLLAPSE"},      {0x64, "MADV_HWPOISON"},
    {0x65, "MADV_SOFT_OFFLINE"},    {0x66, "MADV_GUARD_INSTALL"}, {0x67, "MADV_GUARD_REMOVE"},
};

static const struct lt_flag map_bits[] = {
    {0x00000010, "MAP_FIXED"},      {0x00000020, "MAP_ANONYMOUS"},
    {0x00000040, "MAP_32BIT"},      {0x00004000, "MAP_NORESERVE"},
    {0x00008000, "MAP_POPULATE"},   {0x00010000, "MAP_NONBLOCK"},
    {0x00000100, "MAP_GROWSDOWN"},  {0x00000800, "MAP_DENYWRITE"},
    {0x00001000, "MAP_EXECUTABLE"}, {0x00002000, "MAP_LOCKED"},
    {0x00020000, "MAP_STACK"},      {0x00040000, "MAP_HUGETLB"},
    {0x00080000, "MAP_SYNC"},       {0x00100000, "MAP_FIXED_NOREPLACE"},
};

static const struct lt_flag map_type[] = {
    {0x00, "MAP_FILE"},      {0x01, "MAP_SHARED"},
    {0x02, "MAP_PRIVATE"},   {0x03, "MAP_SHARED_VALIDATE"},
    {0x08, "MAP_DROPPABLE"},
};

static const struct lt_flag memfd[] = {
    {0x01, "MFD_CLOEXEC"},     {0x02, "MFD_ALLOW_SEALING"}, {0x04, "MFD_HUGETLB"},
    {0x08, "MFD_NOEXEC_SEAL"}, {0x10, "MFD_EXEC"},
};

static const struct lt_flag mlock2[] = {
    {0x01, "MLOCK_ONFAULT"},
};

static const struct lt_flag mlockall[] = {
    {0x01, "MCL_CURRENT"},
    {0x02, "MCL_FUTURE"},
    {0x04, "MCL_ONFAULT"},
};

static const struct lt_flag mpol_bits[] = {
    {0x8000, "MPOL_F_STATIC_NODES"},
    {0x4000, "MPOL_F_RELATIVE_NODES"},
    {0x2000, "MPOL_F_NUMA_BALANCING"},
};

static const struct lt_flag mpol_mf[] = {
    {0x01, "MPOL_MF_STRICT"},
    {0x02, "MPOL_MF_MOVE"},
    {0x04, "MPOL_MF_MOVE_ALL"},
};

static const struct lt_flag mpol_mode[] = {
    {0x00, "MPOL_DEFAULT"},
    {0x01, "MPOL_PREFERRED"},
    {0x02, "MPOL_BIND"},
    {0x03, "MPOL_INTERLEAVE"},
    {0x04, "MPOL_LOCAL"},
    {0x05, "MPOL_PREFERRED_MANY"},
    {0x06, "MPOL_WEIGHTED_INTERLEAVE"},
};

static const struct lt_flag mremap[] = {
    {0x01, "MREMAP_MAYMOVE"},
    {0x02, "MREMAP_FIXED"},
    {0x04, "MREMAP_DONTUNMAP"},
};

static const struct lt_flag msgctl[] = {
    {0x00, "IPC_RMID"}, {0x01, "IPC_SET"},  {0x02, "IPC_STAT"},     {0x03, "IPC_INFO"},
    {0x0b, "MSG_STAT"}, {0x0c, "MSG_INFO"}, {0x0d, "MSG_STAT_ANY"},
};

static const struct lt_flag msgrcv[] = {
    {0x1000, "MSG_NOERROR"},
    {0x2000, "MSG_EXCEPT"},
    {0x4000, "MSG_COPY"},
    {0x0800, "IPC_NOWAIT"},
};

static const struct lt_flag msync[] = {
    {0x04, "MS_SYNC"},
    {0x01, "MS_ASYNC"},
    {0x02, "MS_INVALIDATE"},
};

static const struct lt_flag pkey[] = {
    {0x01, "PKEY_DISABLE_ACCESS"},
    {0x02, "PKEY_DISABLE_WRITE"},
    {0x04, "PKEY_DISABLE_EXECUTE"},
};

static const struct lt_flag prot[] = {
    {0x00000000, "PROT_NONE"},    {0x00000001, "PROT_READ"}, {0x00000002, "PROT_WRITE"},
    {0x00000004, "PROT_EXEC"},    {0x00000008, "PROT_SEM"},  {0x01000000, "PROT_GROWSDOWN"},
    {0x02000000, "PROT_GROWSUP"},
};

static const struct lt_flag sem_bits[] = {
    {0x1000, "SEM_UNDO"},
    {0x0800, "IPC_NOWAIT"},
};

static const struct lt_flag semctl[] = {
    {0x00, "IPC_RMID"}, {0x01, "IPC_SET"},      {0x02, "IPC_STAT"}, {0x03, "IPC_INFO"},
    {0x0b, "GETPID"},   {0x0c, "GETVAL"},       {0x0d, "GETALL"},   {0x0e, "GETNCNT"},
    {0x0f, "GETZCNT"},  {0x10, "SETVAL"},       {0x11, "SETALL"},   {0x12, "SEM_STAT"},
    {0x13, "SEM_INFO"}, {0x14, "SEM_STAT_ANY"},
};

static const struct lt_flag shm_bits[] = {
    {0x0200, "IPC_CREAT"},
    {0x0400, "IPC_EXCL"},
    {0x0800, "SHM_HUGETLB"},
    {0x1000, "SHM_NORESERVE"},
};

static const struct lt_flag shmat[] = {
    {0x1000, "SHM_RDONLY"},
    {0x2000, "SHM_RND"},
    {0x4000, "SHM_REMAP"},
    {0x8000, "SHM_EXEC"},
};

static const struct lt_flag shmctl[] = {
    {0x00, "IPC_RMID"}, {0x01, "IPC_SET"},  {0x02, "IPC_STAT"},
    {0x03, "IPC_INFO"}, {0x0b, "SHM_LOCK"}, {0x0c, "SHM_UNLOCK"},
    {0x0d, "SHM_STAT"}, {0x0e, "SHM_INFO"}, {0x0f, "SHM_STAT_ANY"},
};

static const struct lt_flag userfaultfd[] = {
    {0x00000001, "UFFD_USER_MODE_ONLY"},
    {0x00000800, "O_NONBLOCK"},
    {0x00080000, "O_CLOEXEC"},
};

const struct lt_flags lt_flags_memory[] = {
    {"get_mempolicy", LT_BITS, "MPOL_???", LT_ROWS(get_mempolicy)},
    {"ipc_bits", LT_BITS, NULL, LT_ROWS(ipc_bits)},
    {"madvise", LT_ONE, "MADV_???", LT_ROWS(madvise)},
    {"map_bits", LT_BITS, "MAP_???", LT_ROWS(map_bits)},
    {"map_type", LT_ONE, "MAP_???", LT_ROWS(map_type)},
    {"memfd", LT_BITS, "MFD_???", LT_ROWS(memfd)},
    {"mlock2", LT_BITS, "MLOCK_???", LT_ROWS(mlock2)},
    {"mlockall", LT_BITS, "MCL_???", LT_ROWS(mlockall)},
    {"mpol_bits", LT_BITS, NULL, LT_ROWS(mpol_bits)},
    {"mpol_mf", LT_BITS, "MPOL_???", LT_ROWS(mpol_mf)},
    {"mpol_mode", LT_ONE, "MPOL_???", LT_ROWS(mpol_mode)},
    {"mremap", LT_BITS, "MREMAP_???", LT_ROWS(mremap)},
    {"msgctl", LT_ONE, "MSG_???", LT_ROWS(msgctl)},
    {"msgrcv", LT_BITS, "MSG_???", LT_ROWS(msgrcv)},
    {"msync", LT_BITS, "MS_???", LT_ROWS(msync)},
    {"pkey", LT_BITS, "PKEY_???", LT_ROWS(pkey)},
    {"prot", LT_BITS, "PROT_???", LT_ROWS(prot)},
    {"sem_bits", LT_BITS, "SEM_???", LT_ROWS(sem_bits)},
    {"semctl", LT_ONE, "SEM_???", LT_ROWS(semctl)},
    {"shm_bits", LT_BITS, NULL, LT_ROWS(shm_bits)},
    {"shmat", LT_BITS, "SHM_???", LT_ROWS(shmat)},
    {"shmctl", LT_ONE, "SHM_???", LT_ROWS(shmctl)},
    {"userfaultfd", LT_BITS, "UFFD_???", LT_ROWS(userfaultfd)},
};
const size_t lt_flags_memory_count = sizeof(lt_flags_memory) / sizeof(lt_flags_memory[0]);

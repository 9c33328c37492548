/* flags_fs.c - flags and constants of files, directories and mounts.
 * How a set is written and found: flags.h. Sets are in order of their names, since they are looked
 * up by bisection; the rows of a set are in the order in which they are tried and printed. */
#include "flags.h"

static const struct lt_flag access[] = {
    {0x00, "F_OK"},
    {0x04, "R_OK"},
    {0x02, "W_OK"},
    {0x01, "X_OK"},
};

static const struct lt_flag accmode[] = {
    {0x00, "O_RDONLY"},
    {0x01, "O_WRONLY"},
    {0x02, "O_RDWR"},
    {0x03, "O_ACCMODE"},
};

static const struct lt_flag at[] = {
    {0x0100, "AT_SYMLINK_NOFOLLOW"}, {0x0200, "AT_REMOVEDIR"},  {0x0400, "AT_SYMLINK_FOLLOW"},
    {0x0800, "AT_NO_AUTOMOUNT"},     {0x1000, "AT_EMPTY_PATH"}, {0x8000, "AT_RECURSIVE"},
};

static const struct lt_flag close_range[] = {
    {0x02, "CLOSE_RANGE_UNSHARE"},
    {0x04, "CLOSE_RANGE_CLOEXEC"},
};

static const struct lt_flag faccessat2[] = {
    {0x0100, "AT_SYMLINK_NOFOLLOW"},
    {0x0200, "AT_EACCESS"},
    {0x1000, "AT_EMPTY_PATH"},
};

static const struct lt_flag fadvise[] = {
    {0x00, "POSIX_FADV_NORMAL"},   {0x01, "POSIX_FADV_RANDOM"},   {0x02, "POSIX_FADV_SEQUENTIAL"},
    {0x03, "POSIX_FADV_WILLNEED"}, {0x04, "POSIX_FADV_DONTNEED"}, {0x05, "POSIX_FADV_NOREUSE"},
};

static const struct lt_flag fallocate[] = {
    {0x01, "FALLOC_FL_KEEP_SIZE"},     {0x02, "FALLOC_FL_PUNCH_HOLE"},
    {0x04, "FALLOC_FL_NO_HIDE_STALE"}, {0x08, "FALLOC_FL_COLLAPSE_RANGE"},
    {0x10, "FALLOC_FL_ZERO_RANGE"},    {0x20, "FALLOC_FL_INSERT_RANGE"},
    {0x40, "FALLOC_FL_UNSHARE_RANGE"}, {0x80, "FALLOC_FL_WRITE_ZEROES"},
};

static const struct lt_flag fcntl[] = {
    {0x0000, "F_DUPFD"},
    {0x0001, "F_GETFD"},
    {0x0002, "F_SETFD"},
    {0x0003, "F_GETFL"},
    {0x0004, "F_SETFL"},
    {0x0005, "F_GETLK"},
    {0x0006, "F_SETLK"},
    {0x0007, "F_SETLKW"},
    {0x0008, "F_SETOWN"},
    {0x0009, "F_GETOWN"},
    {0x000a, "F_SETSIG"},
    {0x000b, "F_GETSIG"},
    {0x000c, "F_GETLK64"},
    {0x000d, "F_SETLK64"},
    {0x000e, "F_SETLKW64"},
    {0x000f, "F_SETOWN_EX"},
    {0x0010, "F_GETOWN_EX"},
    {0x0011, "F_GETOWNER_UIDS"},
    {0x0024, "F_OFD_GETLK"},
    {0x0025, "F_OFD_SETLK"},
    {0x0026, "F_OFD_SETLKW"},
    {0x0400, "F_SETLEASE"},
    {0x0401, "F_GETLEASE"},
    {0x0402, "F_NOTIFY"},
    {0x0405, "F_CANCELLK"},
    {0x0406, "F_DUPFD_CLOEXEC"},
    {0x0407, "F_SETPIPE_SZ"},
    {0x0408, "F_GETPIPE_SZ"},
    {0x0409, "F_ADD_SEALS"},
    {0x040a, "F_GET_SEALS"},
    {0x040b, "F_GET_RW_HINT"},
    {0x040c, "F_SET_RW_HINT"},
    {0x040d, "F_GET_FILE_RW_HINT"},
    {0x040e, "F_SET_FILE_RW_HINT"},
};

static const struct lt_flag fd_flags[] = {
    {0x01, "FD_CLOEXEC"},
};

static const struct lt_flag file_type[] = {
    {0x1000, "S_IFIFO"}, {0x2000, "S_IFCHR"}, {0x4000, "S_IFDIR"},  {0x6000, "S_IFBLK"},
    {0x8000, "S_IFREG"}, {0xa000, "S_IFLNK"}, {0xc000, "S_IFSOCK"},
};

static const struct lt_flag flock[] = {
    {0x01, "LOCK_SH"},   {0x02, "LOCK_EX"}, {0x04, "LOCK_NB"},   {0x08, "LOCK_UN"},
    {0x20, "LOCK_MAND"}, {0xc0, "LOCK_RW"}, {0x40, "LOCK_READ"}, {0x80, "LOCK_WRITE"},
};

static const struct lt_flag handle_at[] = {
    {0x0400, "AT_SYMLINK_FOLLOW"},
    {0x1000, "AT_EMPTY_PATH"},
    {0x0200, "AT_HANDLE_FID"},
};

static const struct lt_flag lock_type[] = {
    {0x00, "F_RDLCK"}, {0x01, "F_WRLCK"}, {0x02, "F_UNLCK"}, {0x04, "F_EXLCK"}, {0x08, "F_SHLCK"},
};

static const struct lt_flag open_bits[] = {
    {0x00000040, "O_CREAT"},   {0x00000080, "O_EXCL"},      {0x00000100, "O_NOCTTY"},
    {0x00000200, "O_TRUNC"},   {0x00000400, "O_APPEND"},    {0x00000800, "O_NONBLOCK"},
    {0x00101000, "O_SYNC"},    {0x00100000, "__O_SYNC"},    {0x00001000, "O_DSYNC"},
    {0x00004000, "O_DIRECT"},  {0x00008000, "O_LARGEFILE"}, {0x00020000, "O_NOFOLLOW"},
    {0x00040000, "O_NOATIME"}, {0x00080000, "O_CLOEXEC"},   {0x00200000, "O_PATH"},
    {0x00410000, "O_TMPFILE"}, {0x00400000, "__O_TMPFILE"}, {0x00010000, "O_DIRECTORY"},
    {0x00002000, "FASYNC"},
};

static const struct lt_flag openat2_resolve[] = {
    {0x01, "RESOLVE_NO_XDEV"}, {0x02, "RESOLVE_NO_MAGICLINKS"}, {0x04, "RESOLVE_NO_SYMLINKS"},
    {0x08, "RESOLVE_BENEATH"}, {0x10, "RESOLVE_IN_ROOT"},       {0x20, "RESOLVE_CACHED"},
};

static const struct lt_flag rename[] = {
    {0x01, "RENAME_NOREPLACE"},
    {0x02, "RENAME_EXCHANGE"},
    {0x04, "RENAME_WHITEOUT"},
};

static const struct lt_flag rwf[] = {
    {0x01, "RWF_HIPRI"},  {0x02, "RWF_DSYNC"},    {0x04, "RWF_SYNC"},   {0x08, "RWF_NOWAIT"},
    {0x10, "RWF_APPEND"}, {0x20, "RWF_NOAPPEND"}, {0x40, "RWF_ATOMIC"}, {0x80, "RWF_DONTCACHE"},
};

static const struct lt_flag seals[] = {
    {0x01, "F_SEAL_SEAL"},  {0x02, "F_SEAL_SHRINK"},       {0x04, "F_SEAL_GROW"},
    {0x08, "F_SEAL_WRITE"}, {0x10, "F_SEAL_FUTURE_WRITE"}, {0x20, "F_SEAL_EXEC"},
};

static const struct lt_flag splice[] = {
    {0x01, "SPLICE_F_MOVE"},
    {0x02, "SPLICE_F_NONBLOCK"},
    {0x04, "SPLICE_F_MORE"},
    {0x08, "SPLICE_F_GIFT"},
};

static const struct lt_flag statx_at[] = {
    {0x2000, "AT_STATX_FORCE_SYNC"}, {0x4000, "AT_STATX_DONT_SYNC"},
    {0x0100, "AT_SYMLINK_NOFOLLOW"}, {0x0200, "AT_REMOVEDIR"},
    {0x0400, "AT_SYMLINK_FOLLOW"},   {0x0800, "AT_NO_AUTOMOUNT"},
    {0x1000, "AT_EMPTY_PATH"},       {0x8000, "AT_RECURSIVE"},
};

static const struct lt_flag statx_mask[] = {
    {0x00000fff, "STATX_ALL"},           {0x000007ff, "STATX_BASIC_STATS"},
    {0x00000001, "STATX_TYPE"},          {0x00000002, "STATX_MODE"},
    {0x00000004, "STATX_NLINK"},         {0x00000008, "STATX_UID"},
    {0x00000010, "STATX_GID"},           {0x00000020, "STATX_ATIME"},
    {0x00000040, "STATX_MTIME"},         {0x00000080, "STATX_CTIME"},
    {0x00000100, "STATX_INO"},           {0x00000200, "STATX_SIZE"},
    {0x00000400, "STATX_BLOCKS"},        {0x00000800, "STATX_BTIME"},
    {0x00001000, "STATX_MNT_ID"},        {0x00002000, "STATX_DIOALIGN"},
    {0x00004000, "STATX_MNT_ID_UNIQUE"}, {0x00008000, "STATX_SUBVOL"},
    {0x00010000, "STATX_WRITE_ATOMIC"},  {0x00020000, "STATX_DIO_READ_ALIGN"},
};

static const struct lt_flag sync_file_range[] = {
    {0x01, "SYNC_FILE_RANGE_WAIT_BEFORE"},
    {0x02, "SYNC_FILE_RANGE_WRITE"},
    {0x04, "SYNC_FILE_RANGE_WAIT_AFTER"},
};

static const struct lt_flag whence[] = {
    {0x00, "SEEK_SET"},  {0x01, "SEEK_CUR"},  {0x02, "SEEK_END"},
    {0x03, "SEEK_DATA"}, {0x04, "SEEK_HOLE"},
};

static const struct lt_flag xattr[] = {
    {0x01, "XATTR_CREATE"},
    {0x02, "XATTR_REPLACE"},
};

const struct lt_flags lt_flags_fs[] = {
    {"access", LT_BITS, "?_OK", LT_ROWS(access)},
    {"accmode", LT_ONE, NULL, LT_ROWS(accmode)},
    {"at", LT_BITS, "AT_???", LT_ROWS(at)},
    {"close_range", LT_BITS, "CLOSE_RANGE_???", LT_ROWS(close_range)},
    {"faccessat2", LT_BITS, "AT_???", LT_ROWS(faccessat2)},
    {"fadvise", LT_ONE, "POSIX_FADV_???", LT_ROWS(fadvise)},
    {"fallocate", LT_BITS, "FALLOC_FL_???", LT_ROWS(fallocate)},
    {"fcntl", LT_ONE, "F_???", LT_ROWS(fcntl)},
    {"fd_flags", LT_BITS, "FD_???", LT_ROWS(fd_flags)},
    {"file_type", LT_ONE, NULL, LT_ROWS(file_type)},
    {"flock", LT_BITS, "LOCK_???", LT_ROWS(flock)},
    {"handle_at", LT_BITS, "AT_???", LT_ROWS(handle_at)},
    {"lock_type", LT_ONE, "F_???", LT_ROWS(lock_type)},
    {"open_bits", LT_BITS, "O_???", LT_ROWS(open_bits)},
    {"openat2_resolve", LT_BITS, "RESOLVE_???", LT_ROWS(openat2_resolve)},
    {"rename", LT_BITS, "RENAME_??", LT_ROWS(rename)},
    {"rwf", LT_BITS, "RWF_???", LT_ROWS(rwf)},
    {"seals", LT_BITS, "F_SEAL_???", LT_ROWS(seals)},
    {"splice", LT_BITS, "SPLICE_F_???", LT_ROWS(splice)},
    {"statx_at", LT_BITS, NULL, LT_ROWS(statx_at)},
    {"statx_mask", LT_BITS, "STATX_???", LT_ROWS(statx_mask)},
    {"sync_file_range", LT_BITS, "SYNC_FILE_RANGE_???", LT_ROWS(sync_file_range)},
    {"whence", LT_ONE, "SEEK_???", LT_ROWS(whence)},
    {"xattr", LT_BITS, "XATTR_???", LT_ROWS(xattr)},
};
const size_t lt_flags_fs_count = sizeof(lt_flags_fs) / sizeof(lt_flags_fs[0]);

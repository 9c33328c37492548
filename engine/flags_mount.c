/* flags_mount.c - flags and constants of mounts and of watching files.
 * How a set is written and found: flags.h. Sets are in order of their names, since they are looked
 * up by bisection; the rows of a set are in the order in which they are tried and printed. */
#include "flags.h"

static const struct lt_flag fanotify_class[] = {
    {0x00, "FAN_CLASS_NOTIF"},
    {0x04, "FAN_CLASS_CONTENT"},
    {0x08, "FAN_CLASS_PRE_CONTENT"},
};

static const struct lt_flag fanotify_init[] = {
    {0x0001, "FAN_CLOEXEC"},           {0x0002, "FAN_NONBLOCK"},
    {0x0010, "FAN_UNLIMITED_QUEUE"},   {0x0020, "FAN_UNLIMITED_MARKS"},
    {0x0040, "FAN_ENABLE_AUDIT"},      {0x0080, "FAN_REPORT_PIDFD"},
    {0x0100, "FAN_REPORT_TID"},        {0x0200, "FAN_REPORT_FID"},
    {0x0400, "FAN_REPORT_DIR_FID"},    {0x0800, "FAN_REPORT_NAME"},
    {0x1000, "FAN_REPORT_TARGET_FID"},
};

static const struct lt_flag fanotify_mark[] = {
    {0x0001, "FAN_MARK_ADD"},
    {0x0002, "FAN_MARK_REMOVE"},
    {0x0004, "FAN_MARK_DONT_FOLLOW"},
    {0x0008, "FAN_MARK_ONLYDIR"},
    {0x0010, "FAN_MARK_MOUNT"},
    {0x0020, "FAN_MARK_IGNORED_MASK"},
    {0x0040, "FAN_MARK_IGNORED_SURV_MODIFY"},
    {0x0080, "FAN_MARK_FLUSH"},
    {0x0100, "FAN_MARK_FILESYSTEM"},
    {0x0200, "FAN_MARK_EVICTABLE"},
    {0x0400, "FAN_MARK_IGNORE"},
};

static const struct lt_flag fanotify_mask[] = {
    {0x00000001, "FAN_ACCESS"},         {0x00000002, "FAN_MODIFY"},
    {0x00000004, "FAN_ATTRIB"},         {0x00000008, "FAN_CLOSE_WRITE"},
    {0x00000010, "FAN_CLOSE_NOWRITE"},  {0x00000020, "FAN_OPEN"},
    {0x00000040, "FAN_MOVED_FROM"},     {0x00000080, "FAN_MOVED_TO"},
    {0x00000100, "FAN_CREATE"},         {0x00000200, "FAN_DELETE"},
    {0x00000400, "FAN_DELETE_SELF"},    {0x00000800, "FAN_MOVE_SELF"},
    {0x00001000, "FAN_OPEN_EXEC"},      {0x00004000, "FAN_Q_OVERFLOW"},
    {0x00008000, "FAN_FS_ERROR"},       {0x00010000, "FAN_OPEN_PERM"},
    {0x00020000, "FAN_ACCESS_PERM"},    {0x00040000, "FAN_OPEN_EXEC_PERM"},
    {0x00080000, "FAN_DIR_MODIFY"},     {0x40000000, "FAN_ONDIR"},
    {0x08000000, "FAN_EVENT_ON_CHILD"}, {0x10000000, "FAN_RENAME"},
};

static const struct lt_flag fsconfig[] = {
    {0x00, "FSCONFIG_SET_FLAG"},        {0x01, "FSCONFIG_SET_STRING"},
    {0x02, "FSCONFIG_SET_BINARY"},      {0x03, "FSCONFIG_SET_PATH"},
    {0x04, "FSCONFIG_SET_PATH_EMPTY"},  {0x05, "FSCONFIG_SET_FD"},
    {0x06, "FSCONFIG_CMD_CREATE"},      {0x07, "FSCONFIG_CMD_RECONFIGURE"},
    {0x08, "FSCONFIG_CMD_CREATE_EXCL"},
};

static const struct lt_flag fsmount[] = {
    {0x01, "FSMOUNT_CLOEXEC"},
};

static const struct lt_flag fsopen[] = {
    {0x01, "FSOPEN_CLOEXEC"},
};

static const struct lt_flag fspick[] = {
    {0x01, "FSPICK_CLOEXEC"},
    {0x02, "FSPICK_SYMLINK_NOFOLLOW"},
    {0x04, "FSPICK_NO_AUTOMOUNT"},
    {0x08, "FSPICK_EMPTY_PATH"},
};

static const struct lt_flag inotify[] = {
    {0x00000001, "IN_ACCESS"},        {0x00000002, "IN_MODIFY"},
    {0x00000004, "IN_ATTRIB"},        {0x00000008, "IN_CLOSE_WRITE"},
    {0x00000010, "IN_CLOSE_NOWRITE"}, {0x00000020, "IN_OPEN"},
    {0x00000040, "IN_MOVED_FROM"},    {0x00000080, "IN_MOVED_TO"},
    {0x00000100, "IN_CREATE"},        {0x00000200, "IN_DELETE"},
    {0x00000400, "IN_DELETE_SELF"},   {0x00000800, "IN_MOVE_SELF"},
    {0x00002000, "IN_UNMOUNT"},       {0x00004000, "IN_Q_OVERFLOW"},
    {0x00008000, "IN_IGNORED"},       {0x01000000, "IN_ONLYDIR"},
    {0x02000000, "IN_DONT_FOLLOW"},   {0x04000000, "IN_EXCL_UNLINK"},
    {0x10000000, "IN_MASK_CREATE"},   {0x20000000, "IN_MASK_ADD"},
    {0x40000000, "IN_ISDIR"},         {0x80000000, "IN_ONESHOT"},
};

static const struct lt_flag inotify_init[] = {
    {0x00000800, "IN_NONBLOCK"},
    {0x00080000, "IN_CLOEXEC"},
};

static const struct lt_flag mount[] = {
    {0x00000001, "MS_RDONLY"},    {0x00000002, "MS_NOSUID"},      {0x00000004, "MS_NODEV"},
    {0x00000008, "MS_NOEXEC"},    {0x00000010, "MS_SYNCHRONOUS"}, {0x00000020, "MS_REMOUNT"},
    {0x00000040, "MS_MANDLOCK"},  {0x00000080, "MS_DIRSYNC"},     {0x00000100, "MS_NOSYMFOLLOW"},
    {0x00000400, "MS_NOATIME"},   {0x00000800, "MS_NODIRATIME"},  {0x00001000, "MS_BIND"},
    {0x00002000, "MS_MOVE"},      {0x00004000, "MS_REC"},         {0x00008000, "MS_SILENT"},
    {0x00010000, "MS_POSIXACL"},  {0x00020000, "MS_UNBINDABLE"},  {0x00040000, "MS_PRIVATE"},
    {0x00080000, "MS_SLAVE"},     {0x00100000, "MS_SHARED"},      {0x00200000, "MS_RELATIME"},
    {0x00400000, "MS_KERNMOUNT"}, {0x00800000, "MS_I_VERSION"},   {0x01000000, "MS_STRICTATIME"},
    {0x02000000, "MS_LAZYTIME"},  {0x04000000, "MS_SUBMOUNT"},    {0x08000000, "MS_NOREMOTELOCK"},
    {0x10000000, "MS_NOSEC"},     {0x20000000, "MS_BORN"},        {0x40000000, "MS_ACTIVE"},
    {0x80000000, "MS_NOUSER"},
};

static const struct lt_flag mount_attr[] = {
    {0x00000001, "MOUNT_ATTR_RDONLY"},      {0x00000002, "MOUNT_ATTR_NOSUID"},
    {0x00000004, "MOUNT_ATTR_NODEV"},       {0x00000008, "MOUNT_ATTR_NOEXEC"},
    {0x00000010, "MOUNT_ATTR_NOATIME"},     {0x00000020, "MOUNT_ATTR_STRICTATIME"},
    {0x00000080, "MOUNT_ATTR_NODIRATIME"},  {0x00100000, "MOUNT_ATTR_IDMAP"},
    {0x00200000, "MOUNT_ATTR_NOSYMFOLLOW"},
};

static const struct lt_flag move_mount[] = {
    {0x0001, "MOVE_MOUNT_F_SYMLINKS"},   {0x0002, "MOVE_MOUNT_F_AUTOMOUNTS"},
    {0x0004, "MOVE_MOUNT_F_EMPTY_PATH"}, {0x0010, "MOVE_MOUNT_T_SYMLINKS"},
    {0x0020, "MOVE_MOUNT_T_AUTOMOUNTS"}, {0x0040, "MOVE_MOUNT_T_EMPTY_PATH"},
    {0x0100, "MOVE_MOUNT_SET_GROUP"},    {0x0200, "MOVE_MOUNT_BENEATH"},
};

static const struct lt_flag open_tree[] = {
    {0x00000001, "OPEN_TREE_CLONE"},     {0x00080000, "OPEN_TREE_CLOEXEC"},
    {0x00000100, "AT_SYMLINK_NOFOLLOW"}, {0x00000200, "AT_REMOVEDIR"},
    {0x00000400, "AT_SYMLINK_FOLLOW"},   {0x00000800, "AT_NO_AUTOMOUNT"},
    {0x00001000, "AT_EMPTY_PATH"},       {0x00008000, "AT_RECURSIVE"},
};

static const struct lt_flag statfs_flags[] = {
    {0x0020, "ST_VALID"},    {0x0001, "ST_RDONLY"},      {0x0002, "ST_NOSUID"},
    {0x0004, "ST_NODEV"},    {0x0008, "ST_NOEXEC"},      {0x0010, "ST_SYNCHRONOUS"},
    {0x0040, "ST_MANDLOCK"}, {0x0400, "ST_NOATIME"},     {0x0800, "ST_NODIRATIME"},
    {0x1000, "ST_RELATIME"}, {0x2000, "ST_NOSYMFOLLOW"},
};

static const struct lt_flag statfs_type[] = {
    {0x00001cd1, "DEVPTS_SUPER_MAGIC"}, {0x00004d44, "MSDOS_SUPER_MAGIC"},
    {0x00006969, "NFS_SUPER_MAGIC"},    {0x00009660, "ISOFS_SUPER_MAGIC"},
    {0x00009fa0, "PROC_SUPER_MAGIC"},   {0x0000ef53, "EXT2_SUPER_MAGIC"},
    {0x0027e0eb, "CGROUP_SUPER_MAGIC"}, {0x01021994, "TMPFS_MAGIC"},
    {0x01021997, "V9FS_MAGIC"},         {0x19800202, "MQUEUE_MAGIC"},
    {0x42494e4d, "BINFMTFS_MAGIC"},     {0x50495045, "PIPEFS_MAGIC"},
    {0x534f434b, "SOCKFS_MAGIC"},       {0x58465342, "XFS_SUPER_MAGIC"},
    {0x62656572, "SYSFS_MAGIC"},        {0x63677270, "CGROUP2_SUPER_MAGIC"},
    {0x64626720, "DEBUGFS_MAGIC"},      {0x65735543, "FUSE_CTL_SUPER_MAGIC"},
    {0x65735546, "FUSE_SUPER_MAGIC"},   {0x6e736673, "NSFS_MAGIC"},
    {0x73636673, "SECURITYFS_MAGIC"},   {0x73717368, "SQUASHFS_MAGIC"},
    {0x74726163, "TRACEFS_MAGIC"},      {0x794c7630, "OVERLAYFS_SUPER_MAGIC"},
    {0x858458f6, "RAMFS_MAGIC"},        {0x9123683e, "BTRFS_SUPER_MAGIC"},
    {0x958458f6, "HUGETLBFS_MAGIC"},    {0xcafe4a11, "BPF_FS_MAGIC"},
    {0xf2f52010, "F2FS_SUPER_MAGIC"},   {0xf97cff8c, "SELINUX_MAGIC"},
};

static const struct lt_flag swapon[] = {
    {0x00008000, "SWAP_FLAG_PREFER"},
    {0x00010000, "SWAP_FLAG_DISCARD"},
    {0x00020000, "SWAP_FLAG_DISCARD_ONCE"},
    {0x00040000, "SWAP_FLAG_DISCARD_PAGES"},
};

static const struct lt_flag umount[] = {
    {0x01, "MNT_FORCE"},
    {0x02, "MNT_DETACH"},
    {0x04, "MNT_EXPIRE"},
    {0x08, "UMOUNT_NOFOLLOW"},
};

const struct lt_flags lt_flags_mount[] = {
    {"fanotify_class", LT_ONE, "FAN_CLASS_???", LT_ROWS(fanotify_class)},
    {"fanotify_init", LT_BITS, "FAN_???", LT_ROWS(fanotify_init)},
    {"fanotify_mark", LT_BITS, "FAN_MARK_???", LT_ROWS(fanotify_mark)},
    {"fanotify_mask", LT_BITS, "FAN_???", LT_ROWS(fanotify_mask)},
    {"fsconfig", LT_ONE, "FSCONFIG_???", LT_ROWS(fsconfig)},
    {"fsmount", LT_BITS, "FSMOUNT_???", LT_ROWS(fsmount)},
    {"fsopen", LT_BITS, "FSOPEN_???", LT_ROWS(fsopen)},
    {"fspick", LT_BITS, "FSPICK_???", LT_ROWS(fspick)},
    {"inotify", LT_BITS, "IN_???", LT_ROWS(inotify)},
    {"inotify_init", LT_BITS, "IN_???", LT_ROWS(inotify_init)},
    {"mount", LT_BITS, "MS_???", LT_ROWS(mount)},
    {"mount_attr", LT_BITS, "MOUNT_ATTR_???", LT_ROWS(mount_attr)},
    {"move_mount", LT_BITS, "MOVE_MOUNT_???", LT_ROWS(move_mount)},
    {"open_tree", LT_BITS, "OPEN_TREE_???", LT_ROWS(open_tree)},
    {"statfs_flags", LT_BITS, "ST_???", LT_ROWS(statfs_flags)},
    {"statfs_type", LT_ONE, NULL, LT_ROWS(statfs_type)},
    {"swapon", LT_BITS, "SWAP_FLAG_???", LT_ROWS(swapon)},
    {"umount", LT_BITS, "MNT_???", LT_ROWS(umount)},
};
const size_t lt_flags_mount_count = sizeof(lt_flags_mount) / sizeof(lt_flags_mount[0]);

/* read_file.c - open an object file and find its separate debug information.
 *
 * Separate files are looked for as gdb does, first where the tracee would find them, then where we
 * would: by build id, then by the name in .gnu_debuglink. What is found there is taken only if its
 * build id or its checksum says that it belongs to the file. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <elfutils/libdwelf.h>

#include "read_die.h"

#define BUILD_ID_MAX 64
#define SECTIONS_MAX 65536
#define DEBUG_FOLDER "/usr/lib/debug"

struct opened {
  struct lt_read_file file;
  char *name;
  Dwarf *alt; /* what several debug files have in common (dwz), if it has been found */
  int alt_fd;
  bool alt_sought;
};

/* What a separate file must have to belong to a file. */
struct wanted {
  uint8_t id[BUILD_ID_MAX];
  size_t id_size; /* 0: the checksum decides */
  uint32_t crc;
};

/* ---- Files -------------------------------------------------------------------------------- */

/* A regular file, which is looked at before it is opened: opening others may block or worse. `root`
 * is the directory that counts as "/", or -1. */
static int open_below(int root, const char *path)
{
  struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
  int place = root >= 0 ? (int)syscall(SYS_openat2, root, path, &how, sizeof how)
                        : open(path, O_PATH | O_CLOEXEC);
  if (place < 0)
    return -1;
  struct stat info;
  char own[32];
  int fd = -1;
  if (fstat(place, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) {
    snprintf(own, sizeof own, "/proc/self/fd/%d", place);
    fd = open(own, O_RDONLY | O_CLOEXEC);
  }
  close(place);
  return fd;
}

/* The checksum of .gnu_debuglink: CRC-32 as in zlib. */
static bool checksum(int fd, uint32_t *ret)
{
  uint32_t table[256], crc = 0xffffffff;
  for (uint32_t i = 0; i < 256; i++) {
    table[i] = i;
    for (int bit = 0; bit < 8; bit++)
      table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
  }
  uint8_t bytes[65536];
  off_t at = 0;
  ssize_t got;
  while ((got = pread(fd, bytes, sizeof bytes, at)) > 0) {
    for (ssize_t i = 0; i < got; i++)
      crc = crc >> 8 ^ table[(uint8_t)(crc ^ bytes[i])];
    at += got;
  }
  *ret = ~crc;
  return got == 0;
}

static bool has_id(int fd, const struct wanted *wanted)
{
  Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
  const void *id = NULL;
  ssize_t size = elf ? dwelf_elf_gnu_build_id(elf, &id) : -1;
  bool same = size > 0 && (size_t)size == wanted->id_size && memcmp(id, wanted->id, size) == 0;
  elf_end(elf);
  return same;
}

static bool belongs(int fd, const struct wanted *wanted)
{
  uint32_t crc;
  return wanted->id_size ? has_id(fd, wanted) : checksum(fd, &crc) && crc == wanted->crc;
}

static int try_file(int root, const char *path, const struct wanted *wanted)
{
  int fd = open_below(root, path);
  if (fd >= 0 && !belongs(fd, wanted)) {
    close(fd);
    fd = -1;
  }
  return fd;
}

static int by_id(int root, const struct wanted *wanted)
{
  char path[sizeof DEBUG_FOLDER + 2 * BUILD_ID_MAX + 32];
  if (wanted->id_size < 2)
    return -1;
  int at = snprintf(path, sizeof path, DEBUG_FOLDER "/.build-id/%02x/", wanted->id[0]);
  for (size_t i = 1; i < wanted->id_size; i++)
    at += snprintf(path + at, sizeof path - (size_t)at, "%02x", wanted->id[i]);
  snprintf(path + at, sizeof path - (size_t)at, ".debug");
  return try_file(root, path, wanted);
}

/* `link` is a file name: below the places that belong to the folder of `name`; or a path. */
static int by_name(int root, const char *name, const char *link, const struct wanted *wanted)
{
  static const char *const places[] = {"%.*s/%s", "%.*s/.debug/%s", DEBUG_FOLDER "%.*s/%s"};
  const char *slash = strrchr(name, '/');
  char path[2 * PATH_MAX];
  if (link[0] == '/')
    return try_file(root, link, wanted);
  if (name[0] != '/')
    return -1;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    size_t size = (size_t)snprintf(path, sizeof path, places[i], (int)(slash - name), name, link);
    int fd = size < sizeof path ? try_file(root, path, wanted) : -1;
    if (fd >= 0)
      return fd;
  }
  return -1;
}

static int find(const struct lt_read_file *file, const char *link, const struct wanted *wanted)
{
  int fd = -1, roots[2] = {file->root, -1};
  for (int i = file->root < 0; fd < 0 && i < 2; i++) {
    fd = by_id(roots[i], wanted);
    if (fd < 0 && link && link[0])
      fd = by_name(roots[i], file->name, link, wanted);
  }
  return fd;
}

/* ---- Called by libdwfl -------------------------------------------------------------------- */

/* Returns a descriptor, or -1. libdwfl asks this for the debug file of the module, whose name it has
 * from the module itself; and for what the debug file refers to in turn: see find_alt(). */
static int find_debuginfo(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
                          const char *path, const char *link, GElf_Word crc, char **ret)
{
  struct opened *opened = *data;
  GElf_Word own_crc;
  const char *own_link = dwelf_elf_gnu_debuglink(opened->file.elf, &own_crc);
  if (link && (!own_link || strcmp(link, own_link) != 0))
    return -1;
  struct wanted wanted = {.crc = crc};
  const void *id = NULL;
  ssize_t size = dwelf_elf_gnu_build_id(opened->file.elf, &id);
  if (size > 0 && size <= BUILD_ID_MAX) {
    memcpy(wanted.id, id, (size_t)size);
    wanted.id_size = (size_t)size;
  }
  int fd = find(&opened->file, link, &wanted);
  if (fd < 0 && opened->file.debuginfod && wanted.id_size)
    fd = dwfl_standard_find_debuginfo(module, data, name, base, path, link, crc, ret);
  return fd;
}

static int find_no_elf(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
                       char **path, Elf **elf)
{
  (void)module, (void)data, (void)name, (void)base, (void)path, (void)elf;
  return -1; /* it was given */
}

static const Dwfl_Callbacks callbacks = {
    .find_elf = find_no_elf,
    .find_debuginfo = find_debuginfo,
    .section_address = dwfl_offline_section_address,
};

/* ---- Opening ------------------------------------------------------------------------------ */

static bool is_program(int fd)
{
  Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
  GElf_Ehdr header;
  bool is = elf && elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &header) &&
            (header.e_type == ET_EXEC || header.e_type == ET_DYN);
  elf_end(elf);
  return is;
}

static int begin(struct opened *opened)
{
  struct lt_read_file *file = &opened->file;
  GElf_Addr bias;
  void **data;
  int copy = fcntl(file->fd, F_DUPFD_CLOEXEC, 3); /* libdwfl closes its own */
  if (copy < 0)
    return -errno;
  file->dwfl = dwfl_begin(&callbacks);
  if (!file->dwfl) {
    close(copy);
    return -ENOMEM;
  }
  dwfl_report_begin(file->dwfl);
  file->module = dwfl_report_elf(file->dwfl, "file", file->name, copy, 0, true);
  if (!file->module) {
    close(copy);
    return -ENOEXEC;
  }
  dwfl_report_end(file->dwfl, NULL, NULL);
  dwfl_module_info(file->module, &data, NULL, NULL, NULL, NULL, NULL, NULL);
  *data = opened;
  file->elf = dwfl_module_getelf(file->module, &bias);
  return file->elf && bias == 0 ? 0 : -ENOEXEC;
}

int lt_read_open(int fd, int root, const char *name, bool debuginfod, struct lt_read_file **ret)
{
  struct opened *opened = calloc(1, sizeof *opened);
  char *copy = opened ? strdup(name) : NULL;
  if (!copy) {
    free(opened);
    close(fd);
    return -ENOMEM;
  }
  opened->file =
      (struct lt_read_file){.fd = fd, .root = root, .name = copy, .debuginfod = debuginfod};
  opened->name = copy;
  opened->alt_fd = -1;
  elf_version(EV_CURRENT);
  int error = is_program(fd) ? begin(opened) : -ENOEXEC;
  if (error)
    lt_read_close(&opened->file);
  else
    *ret = &opened->file;
  return error;
}

void lt_read_close(struct lt_read_file *file)
{
  struct opened *opened = (struct opened *)file;
  if (!opened)
    return;
  lt_declared_free(file->declared);
  dwfl_end(file->dwfl);
  dwarf_end(opened->alt);
  if (opened->alt_fd >= 0)
    close(opened->alt_fd);
  close(file->fd);
  free(opened->name);
  free(opened);
}

/* Debug files may share a further one, which they name by build id and path. */
static void find_alt(struct opened *opened, Dwarf *dwarf)
{
  const char *name = NULL;
  const void *id = NULL;
  ssize_t size = dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &id);
  struct wanted wanted = {.id_size = size > 0 ? (size_t)size : 0};
  if (size <= 0 || size > BUILD_ID_MAX)
    return;
  memcpy(wanted.id, id, (size_t)size);
  opened->alt_fd = find(&opened->file, name, &wanted);
  if (opened->alt_fd >= 0)
    opened->alt = dwarf_begin(opened->alt_fd, DWARF_C_READ);
  if (opened->alt)
    dwarf_setalt(dwarf, opened->alt);
}

Dwarf *lt_read_dwarf(struct lt_read_file *file, Dwarf_Addr *bias)
{
  struct opened *opened = (struct opened *)file;
  Dwarf *dwarf = dwfl_module_getdwarf(file->module, bias);
  if (dwarf && !opened->alt_sought) {
    opened->alt_sought = true;
    find_alt(opened, dwarf);
  }
  return dwarf;
}

/* ---- LT_ASK_FILE -------------------------------------------------------------------------- */

static bool has_section(Elf *elf, const char *wanted)
{
  size_t names;
  if (elf_getshdrstrndx(elf, &names) != 0)
    return false;
  int count = 0;
  for (Elf_Scn *one = elf_nextscn(elf, NULL); one && count++ < SECTIONS_MAX;
       one = elf_nextscn(elf, one)) {
    GElf_Shdr header;
    const char *name = gelf_getshdr(one, &header) ? elf_strptr(elf, names, header.sh_name) : NULL;
    if (name && strcmp(name, wanted) == 0)
      return true;
  }
  return false;
}

/* No question. Answer: has DWARF (u8), made by Go's compiler (u8). */
int lt_read_info(struct lt_read_file *file, struct lt_bytes_in *question, struct lt_bytes *ret)
{
  (void)question;
  Dwarf_Addr bias;
  lt_put_u8(ret, lt_read_dwarf(file, &bias) != NULL);
  lt_put_u8(ret,
            has_section(file->elf, ".note.go.buildid") || has_section(file->elf, ".gopclntab"));
  return 0;
}

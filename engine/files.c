/* files.c - the files that processes have mapped as code: see file.h.
 *
 * A file is opened by its path as the process sees it, and taken only if it is what the kernel says
 * is mapped. What its ELF headers say about loading is read here, from its first bytes: fixed
 * structures within bounds. Everything else is the reader's. */
#include "file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel.h"

#define HEAD_MAX ((size_t)4096)      /* bytes of headers that are looked at */
#define NOTES_MAX ((uint64_t)65536)  /* and of notes */
#define IMAGE_MAX ((size_t)64 << 10) /* of what is no file */
#define IDLE_MAX 64                  /* files that are kept though nobody has them mapped */

/* The headers of an ELF file of either class. */
struct head {
  uint8_t bytes[HEAD_MAX];
  size_t size;
};

/* What can be read at offsets of the file: the file, or memory that shows it from offset 0 on. */
struct source {
  int fd; /* or -1 */
  pid_t tid;
  uint64_t addr;
};

static bool read_at(const struct source *source, uint64_t offset, void *ret, size_t size)
{
  ssize_t got = source->fd >= 0 ? lt_k_pread(source->fd, ret, size, offset)
                                : lt_k_vm_read(source->tid, source->addr + offset, ret, size);
  return got == (ssize_t)size;
}

/* ---- Headers ------------------------------------------------------------------------------ */

static void add_segment(struct lt_file *file, const Elf64_Phdr *header)
{
  if (file->segment_count == LT_SEGMENTS_MAX || header->p_memsz == 0)
    return;
  file->segments[file->segment_count++] = (struct lt_segment){
      .offset = header->p_offset,
      .addr = header->p_vaddr,
      .file_size = header->p_filesz,
      .size = header->p_memsz,
  };
}

static void find_build_id(struct lt_file *file, const uint8_t *notes, size_t size)
{
  Elf64_Nhdr note; /* the same for both classes */
  while (size >= sizeof note) {
    memcpy(&note, notes, sizeof note);
    size_t name = ((size_t)note.n_namesz + 3) & ~(size_t)3;
    size_t text = ((size_t)note.n_descsz + 3) & ~(size_t)3;
    if (name > size - sizeof note || text > size - sizeof note - name)
      return;
    const uint8_t *at = notes + sizeof note;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(at, "GNU", 4) == 0 &&
        note.n_descsz <= LT_BUILD_ID_MAX) {
      memcpy(file->build_id, at + name, note.n_descsz);
      file->build_id_size = note.n_descsz;
      return;
    }
    notes += sizeof note + name + text;
    size -= sizeof note + name + text;
  }
}

static void read_notes(struct lt_file *file, const struct source *source, const Elf64_Phdr *header)
{
  uint64_t size = header->p_filesz;
  if (file->build_id_size || size == 0 || size > NOTES_MAX)
    return;
  uint8_t *notes = malloc(size);
  if (notes && read_at(source, header->p_offset, notes, size))
    find_build_id(file, notes, size);
  free(notes);
}

static Elf64_Phdr widen(const Elf32_Phdr *header)
{
  return (Elf64_Phdr){
      .p_type = header->p_type,
      .p_offset = header->p_offset,
      .p_vaddr = header->p_vaddr,
      .p_filesz = header->p_filesz,
      .p_memsz = header->p_memsz,
  };
}

/* False if it is no ELF program of a class and byte order that we know. */
static bool read_head(struct lt_file *file, const struct source *source)
{
  uint8_t ident[EI_NIDENT];
  Elf64_Ehdr head;
  Elf32_Ehdr narrow;
  if (!read_at(source, 0, ident, sizeof ident) || memcmp(ident, ELFMAG, SELFMAG) != 0 ||
      ident[EI_DATA] != ELFDATA2LSB)
    return false;
  file->is_64 = ident[EI_CLASS] == ELFCLASS64;
  if (file->is_64 && !read_at(source, 0, &head, sizeof head))
    return false;
  if (!file->is_64) {
    if (ident[EI_CLASS] != ELFCLASS32 || !read_at(source, 0, &narrow, sizeof narrow))
      return false;
    head.e_type = narrow.e_type;
    head.e_phoff = narrow.e_phoff;
    head.e_phnum = narrow.e_phnum;
  }
  size_t step = file->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
  for (size_t i = 0; i < head.e_phnum && i < 2 * (size_t)LT_SEGMENTS_MAX; i++) {
    Elf64_Phdr header;
    Elf32_Phdr small;
    if (!read_at(source, head.e_phoff + i * step, file->is_64 ? (void *)&header : &small, step))
      break;
    if (!file->is_64)
      header = widen(&small);
    if (header.p_type == PT_LOAD)
      add_segment(file, &header);
    else if (header.p_type == PT_NOTE)
      read_notes(file, source, &header);
  }
  return head.e_type == ET_EXEC || head.e_type == ET_DYN;
}

/* ---- Opening ------------------------------------------------------------------------------ */

static bool same_start(int fd, pid_t tid, const struct lt_mapped *mapped)
{
  uint8_t here[512], there[512];
  struct source file = {.fd = fd};
  struct source memory = {.fd = -1, .tid = tid, .addr = mapped->from};
  return mapped->offset == 0 && read_at(&file, 0, here, sizeof here) &&
         read_at(&memory, 0, there, sizeof there) && memcmp(here, there, sizeof here) == 0;
}

/* By its path in the tracee's root; what was deleted or replaced, by the map itself or as the
 * program that runs. Stacked file systems may show two inodes for one file: then the bytes decide. */
static int open_mapped(pid_t tid, const struct lt_mapped *mapped)
{
  char name[PATH_MAX + 16];
  snprintf(name, sizeof name, "root%s", mapped->path);
  int fd = lt_k_proc_open_regular(tid, name, mapped->inode);
  if (fd >= 0)
    return fd;
  int error = fd;
  char map[64];
  snprintf(map, sizeof map, "map_files/%llx-%llx", (unsigned long long)mapped->from,
           (unsigned long long)mapped->to);
  fd = lt_k_proc_open_regular(tid, map, mapped->inode);
  if (fd < 0)
    fd = lt_k_proc_open_regular(tid, "exe", mapped->inode);
  if (fd >= 0)
    return fd;
  fd = lt_k_proc_open_regular(tid, name, 0);
  if (fd >= 0 && same_start(fd, tid, mapped))
    return fd;
  if (fd >= 0)
    close(fd);
  return error;
}

/* The vdso: a file of its bytes. */
static int open_memory(pid_t tid, const struct lt_mapped *mapped)
{
  uint64_t size = mapped->to - mapped->from;
  uint8_t *bytes = size <= IMAGE_MAX ? malloc(size) : NULL;
  if (!bytes)
    return -ENOMEM;
  struct source source = {.fd = -1, .tid = tid, .addr = mapped->from};
  int fd = -ESRCH;
  if (read_at(&source, 0, bytes, size)) {
    fd = memfd_create("vdso", MFD_CLOEXEC);
    if (fd < 0)
      fd = -errno;
    else if (write(fd, bytes, size) != (ssize_t)size) {
      close(fd);
      fd = -ENOMEM;
    }
  }
  free(bytes);
  return fd;
}

int lt_file_open(struct lt_file *file, int *root)
{
  struct lt_mapped mapped;
  pid_t tid;
  *root = -1;
  if (!lt_file_mapped(file, &tid, &mapped))
    return -ESRCH;
  int fd = file->memory ? open_memory(tid, &mapped) : open_mapped(tid, &mapped);
  if (fd >= 0) {
    *root = lt_k_proc_open(tid, "root", O_PATH | O_DIRECTORY);
    if (*root < 0)
      *root = -1;
  }
  return fd;
}

/* ---- The table ---------------------------------------------------------------------------- */

static void free_file(struct lt_file *file)
{
  HASH_DEL(file->session->files, file);
  lt_frames_free(file->frames);
  lt_names_free(file->names);
  free(file->path);
  free(file);
}

static void key_of(int fd, struct lt_file_key *ret)
{
  struct stat info;
  if (fstat(fd, &info) != 0)
    return;
  *ret = (struct lt_file_key){
      .device = info.st_dev,
      .inode = info.st_ino,
      .size = (uint64_t)info.st_size,
      .modified = (uint64_t)info.st_mtim.tv_sec * 1000000000u + (uint64_t)info.st_mtim.tv_nsec,
      .changed = (uint64_t)info.st_ctim.tv_sec * 1000000000u + (uint64_t)info.st_ctim.tv_nsec,
  };
}

/* What is no file is told apart by its bytes: there are few of them. */
static void key_of_memory(const struct source *source, size_t size, struct lt_file_key *ret)
{
  uint8_t *bytes = size <= IMAGE_MAX ? calloc(1, size) : NULL;
  uint64_t hash = 14695981039346656037u;
  bool read = bytes && read_at(source, 0, bytes, size);
  for (size_t i = 0; read && i < size; i++)
    hash = (hash ^ bytes[i]) * 1099511628211u;
  free(bytes);
  *ret = (struct lt_file_key){.size = size, .modified = hash, .changed = read};
}

static struct lt_file *add(lt_session *session, const struct lt_file_key *key,
                           const struct source *source, const struct lt_mapped *mapped)
{
  struct lt_file *file = calloc(1, sizeof *file);
  if (!file)
    return NULL;
  file->session = session;
  file->key = *key;
  file->path = strdup(mapped->path);
  file->readable = source->fd >= 0;
  file->memory = mapped->path[0] == '[';
  if (!file->path || !read_head(file, source)) {
    free(file->path);
    free(file);
    return NULL;
  }
  file->id = ++session->files_made;
  HASH_ADD(hh, session->files, key, sizeof file->key, file);
  return file;
}

struct lt_file *lt_file_get(lt_session *session, pid_t tid, const struct lt_mapped *mapped)
{
  struct source source = {.fd = -1, .tid = tid, .addr = mapped->from};
  struct lt_file_key key = {.inode = mapped->inode, .device = UINT64_MAX};
  if (mapped->path[0] == '[') {
    key_of_memory(&source, mapped->to - mapped->from, &key);
  } else {
    source.fd = open_mapped(tid, mapped);
    if (source.fd >= 0)
      key_of(source.fd, &key);
    else if (mapped->offset != 0)
      return NULL;
  }
  struct lt_file *file;
  HASH_FIND(hh, session->files, &key, sizeof key, file); /* NOLINT(clang-analyzer-core*) */
  if (!file)
    file = add(session, &key, &source, mapped);
  if (source.fd >= 0)
    close(source.fd);
  return file ? lt_file_use(file) : NULL;
}

struct lt_file *lt_file_use(struct lt_file *file)
{
  if (file->uses++ == 0)
    file->session->files_used++;
  return file;
}

/* Programs come and go that have the same files: some are kept. The table is in the order in which
 * they were made. */
void lt_file_release(struct lt_file *file)
{
  lt_session *session = file->session;
  struct lt_file *old, *next;
  if (--file->uses)
    return;
  session->files_used--;
  HASH_ITER(hh, session->files, old, next) {
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): another element was freed */
    if (HASH_COUNT(session->files) - session->files_used <= IDLE_MAX)
      return;
    if (!old->uses)
      free_file(old);
  }
}

void lt_files_free(lt_session *session)
{
  struct lt_file *file, *next;
  HASH_ITER(hh, session->files, file, next)
    free_file(file);
}

bool lt_file_is_64(const struct lt_file *file)
{
  return file->is_64;
}

void lt_file_ask(struct lt_file *file)
{
  struct lt_bytes none = {0}, answer;
  if (file->asked)
    return;
  file->asked = true;
  if (lt_reader_ask(file->session, file, LT_ASK_FILE, &none, &answer) != 0)
    return;
  struct lt_bytes_in in = {.at = answer.at, .size = answer.size};
  file->has_dwarf = lt_get_u8(&in);
  file->is_go = lt_get_u8(&in);
  lt_bytes_free(&answer);
}

bool lt_file_is_go(const struct lt_file *file)
{
  lt_file_ask((struct lt_file *)file);
  return file->is_go;
}

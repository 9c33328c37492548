/* symbols.c - addresses by name, from the symbol tables of the files that a process has mapped.
 *
 * The files are the tracee's choice: they are opened as it sees them, taken only if they are what
 * the kernel says is mapped, and read with libelf within limits of size and number. */
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"
#include "registers.h"

#define TABLE_MAX ((size_t)256 << 20) /* bytes of one table of symbols */
#define HEADERS_MAX 65536             /* sections, and segments, of one file */
#define PAGE_MASK (~(uint64_t)4095)
#define HIDDEN 0x8000 /* in .gnu.version: an old version of the symbol */

struct object {
  const struct lt_map *maps; /* of the whole process */
  size_t count;
  size_t first; /* the file's first map */
  Elf *elf;
  uint64_t bias; /* what is added to its addresses */
};

struct search {
  const char *name;
  struct lt_symbol *found;
  int rank; /* of what was found: 0 nothing, then old version, local, weak or global */
};

/* ---- Files -------------------------------------------------------------------------------- */

static bool same_file(const struct lt_map *a, const struct lt_map *b)
{
  return a->inode == b->inode && a->dev_major == b->dev_major && a->dev_minor == b->dev_minor &&
         strcmp(a->path, b->path) == 0;
}

/* Only what has code is loaded as an object; data files are mapped as well. */
static bool has_code(const struct object *object)
{
  const struct lt_map *first = &object->maps[object->first];
  for (size_t i = object->first; i < object->count; i++)
    if (object->maps[i].perms[2] == 'x' && same_file(first, &object->maps[i]))
      return true;
  return false;
}

/* By its path in the tracee's root; a file that was deleted or replaced, by the map itself. */
static int open_file(lt_thread *thread, const struct lt_map *map)
{
  char name[PATH_MAX + 16];
  snprintf(name, sizeof name, "root%s", map->path);
  int fd = lt_k_proc_open_regular(thread->tid, name, map->inode);
  if (fd >= 0)
    return fd;
  snprintf(name, sizeof name, "map_files/%llx-%llx", (unsigned long long)map->from,
           (unsigned long long)map->to);
  return lt_k_proc_open_regular(thread->tid, name, map->inode);
}

/* The segment that the map at hand shows says where the file was loaded. */
static bool find_bias(struct object *object)
{
  size_t count;
  if (elf_getphdrnum(object->elf, &count) != 0 || count > HEADERS_MAX)
    return false;
  const struct lt_map *first = &object->maps[object->first];
  for (size_t i = object->first; i < object->count; i++) {
    const struct lt_map *map = &object->maps[i];
    for (size_t k = 0; same_file(first, map) && k < count; k++) {
      GElf_Phdr segment;
      if (!gelf_getphdr(object->elf, (int)k, &segment) || segment.p_type != PT_LOAD ||
          (segment.p_offset & PAGE_MASK) != map->offset)
        continue;
      object->bias = map->from - (segment.p_vaddr & PAGE_MASK);
      return true;
    }
  }
  return false;
}

/* ---- Tables ------------------------------------------------------------------------------- */

/* The bytes of a section that is a table with entries of this size at least; NULL if it is not. */
static Elf_Data *table_data(Elf_Scn *section, GElf_Shdr *header, size_t entry)
{
  if (!section || !gelf_getshdr(section, header) || header->sh_type == SHT_NOBITS ||
      header->sh_size > TABLE_MAX || header->sh_flags & SHF_COMPRESSED ||
      (entry && header->sh_entsize < entry))
    return NULL;
  return elf_getdata(section, NULL);
}

/* The versions of the symbols in section number `table`; NULL where there are none. */
static Elf_Data *versions_of(Elf *elf, size_t table)
{
  GElf_Shdr header;
  int count = 0;
  for (Elf_Scn *one = elf_nextscn(elf, NULL); one && count++ < HEADERS_MAX;
       one = elf_nextscn(elf, one))
    if (gelf_getshdr(one, &header) && header.sh_type == SHT_GNU_versym && header.sh_link == table)
      return table_data(one, &header, sizeof(GElf_Half));
  return NULL;
}

static int rank_of(const GElf_Sym *symbol, Elf_Data *versions, int index)
{
  GElf_Versym version;
  unsigned type = GELF_ST_TYPE(symbol->st_info);
  bool has_address =
      type == STT_NOTYPE || type == STT_OBJECT || type == STT_FUNC || type == STT_GNU_IFUNC;
  if (!has_address || symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_COMMON)
    return 0;
  if (GELF_ST_BIND(symbol->st_info) == STB_LOCAL)
    return 2;
  if (versions && gelf_getversym(versions, index, &version) && version & HIDDEN)
    return 1;
  return 3;
}

static void take(const struct object *object, const GElf_Sym *symbol, struct search *search)
{
  unsigned type = GELF_ST_TYPE(symbol->st_info);
  uint64_t bias = symbol->st_shndx == SHN_ABS ? 0 : object->bias;
  *search->found = (struct lt_symbol){
      .addr = symbol->st_value + bias,
      .size = symbol->st_size,
      .function = type == STT_FUNC || type == STT_GNU_IFUNC,
      .indirect = type == STT_GNU_IFUNC,
  };
}

static void search_table(const struct object *object, Elf_Scn *section, struct search *search)
{
  GElf_Shdr header = {0}, names_header = {0};
  Elf_Data *data = table_data(section, &header, gelf_fsize(object->elf, ELF_T_SYM, 1, EV_CURRENT));
  Elf_Scn *names = elf_getscn(object->elf, header.sh_link);
  if (!data || !table_data(names, &names_header, 0) || names_header.sh_type != SHT_STRTAB)
    return;
  Elf_Data *versions = versions_of(object->elf, elf_ndxscn(section));
  size_t count = data->d_size / header.sh_entsize;
  for (size_t i = 0; i < count && i < INT32_MAX && search->rank < 3; i++) {
    GElf_Sym symbol;
    if (!gelf_getsym(data, (int)i, &symbol))
      return;
    int rank = rank_of(&symbol, versions, (int)i);
    const char *name =
        rank > search->rank ? elf_strptr(object->elf, header.sh_link, symbol.st_name) : NULL;
    if (!name || strcmp(name, search->name) != 0)
      continue;
    search->rank = rank;
    take(object, &symbol, search);
  }
}

static void search_elf(const struct object *object, struct search *search)
{
  GElf_Shdr header;
  unsigned searched = 0; /* a file has one table of each type */
  int count = 0;
  for (Elf_Scn *one = elf_nextscn(object->elf, NULL); one && count++ < HEADERS_MAX;
       one = elf_nextscn(object->elf, one)) {
    unsigned bit = !gelf_getshdr(one, &header)    ? 0
                   : header.sh_type == SHT_DYNSYM ? 1
                   : header.sh_type == SHT_SYMTAB ? 2
                                                  : 0;
    if (bit & ~searched)
      search_table(object, one, search);
    searched |= bit;
  }
}

static void search_object(lt_thread *thread, struct object *object, struct search *search)
{
  int fd = open_file(thread, &object->maps[object->first]);
  if (fd < 0)
    return;
  object->elf = elf_begin(fd, ELF_C_READ, NULL);
  if (object->elf && elf_kind(object->elf) == ELF_K_ELF && find_bias(object))
    search_elf(object, search);
  elf_end(object->elf);
  close(fd);
}

/* ---- All objects of a process --------------------------------------------------------------- */

static const char *base_name(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* "libc.so" names libc.so.6 and libc.so, "libc" names libc-2.31.so as well. */
static bool is_called(const char *path, const char *wanted, size_t size)
{
  const char *name = memchr(wanted, '/', size) ? path : base_name(path);
  return size == 0 || (strncmp(name, wanted, size) == 0 && strchr(".- ", name[size]));
}

static bool is_first(const struct lt_map *maps, size_t at)
{
  for (size_t i = at; i-- > 0;)
    if (same_file(&maps[i], &maps[at]))
      return false;
  return true;
}

/* Local names and old versions count only where no object has anything better. */
static void search_maps(lt_thread *thread, const struct lt_map *maps, size_t count,
                        const char *file, size_t file_size, struct search *search)
{
  for (size_t i = 0; i < count && search->rank < 3; i++) {
    struct object object = {.maps = maps, .count = count, .first = i};
    if (maps[i].path[0] == '/' && maps[i].inode && is_called(maps[i].path, file, file_size) &&
        is_first(maps, i) && has_code(&object))
      search_object(thread, &object, search);
  }
}

int lt_symbol_find(lt_thread *thread, const char *name, struct lt_symbol *ret)
{
  struct lt_map *maps;
  struct search search = {.name = name, .found = ret};
  const char *colon = strrchr(name, ':');
  size_t file_size = colon ? (size_t)(colon - name) : 0;
  ssize_t count = lt_maps(thread, &maps);
  if (count < 0)
    return (int)count;
  if (colon)
    search.name = colon + 1;
  elf_version(EV_CURRENT);
  if (search.name[0])
    search_maps(thread, maps, (size_t)count, name, file_size, &search);
  lt_maps_free(maps, (size_t)count);
  if (search.rank)
    return 0;
  return lt_fail(thread->session, -ENOENT, "process %d has no symbol '%.100s'",
                 (int)lt_thread_pid(thread), name);
}

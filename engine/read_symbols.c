/* read_symbols.c - all symbols of a file that have an address: from .symtab and .dynsym, the separate
 * debug file and the compressed symbol table in .gnu_debugdata; sorted, each once. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "read_symbols.h"

#define SECTIONS_MAX 65536
#define NAME_MAX_SIZE 65536
#define HIDDEN 0x8000 /* in .gnu.version: an old version of the symbol */

/* ---- Collecting --------------------------------------------------------------------------- */

void lt_read_symbol_add(struct lt_read_list *list, const struct lt_read_symbol *symbol,
                        const char *name, size_t name_size)
{
  if (!name_size || name_size > NAME_MAX_SIZE || list->count == LT_READ_SYMBOLS_MAX)
    return;
  if (list->count == list->room) {
    size_t room = list->room ? 2 * list->room : 1024;
    struct lt_read_symbol *more = realloc(list->symbols, room * sizeof *more);
    if (!more) {
      list->pool.failed = true;
      return;
    }
    list->symbols = more;
    list->room = room;
  }
  struct lt_read_symbol *at = &list->symbols[list->count++];
  *at = *symbol;
  at->name = (uint32_t)list->pool.size;
  lt_put(&list->pool, name, name_size);
  lt_put_u8(&list->pool, 0);
}

/* Kind and flags of an ELF symbol. False if it has no address of its own. */
static bool describe(const GElf_Sym *from, GElf_Word section, struct lt_read_symbol *ret)
{
  if (section == SHN_UNDEF || section == SHN_COMMON)
    return false;
  switch (GELF_ST_TYPE(from->st_info)) {
  case STT_GNU_IFUNC:
    ret->flags |= LT_SYMBOL_INDIRECT;
    ret->kind = LT_SYMBOL_FUNCTION;
    break;
  case STT_FUNC:
    ret->kind = LT_SYMBOL_FUNCTION;
    break;
  case STT_OBJECT:
    ret->kind = LT_SYMBOL_OBJECT;
    break;
  case STT_NOTYPE:
    ret->kind = LT_SYMBOL_OTHER;
    break;
  default:
    return false;
  }
  if (GELF_ST_BIND(from->st_info) == STB_LOCAL)
    ret->flags |= LT_SYMBOL_LOCAL;
  if (section == SHN_ABS)
    ret->flags |= LT_SYMBOL_ABSOLUTE;
  ret->size = from->st_size;
  return true;
}

/* Linkers write versions into the names of .symtab: "name@@VERSION", or "name@VERSION" for one that
 * is not the default. */
static void add_named(struct lt_read_list *list, struct lt_read_symbol *symbol, const char *name)
{
  const char *at = strchr(name, '@');
  size_t size = at && at != name ? (size_t)(at - name) : strnlen(name, NAME_MAX_SIZE + 1);
  if (at && at != name && at[1] != '@')
    symbol->flags |= LT_SYMBOL_OLD;
  lt_read_symbol_add(list, symbol, name, size);
}

static void add_all(struct lt_read_file *file, struct lt_read_list *list)
{
  int count = dwfl_module_getsymtab(file->module);
  for (int i = 0; i < count; i++) {
    GElf_Sym from;
    GElf_Addr addr;
    GElf_Word section;
    struct lt_read_symbol symbol = {0};
    const char *name = dwfl_module_getsym_info(file->module, i, &from, &addr, &section, NULL, NULL);
    if (!name || !describe(&from, section, &symbol))
      continue;
    symbol.addr = symbol.flags & LT_SYMBOL_ABSOLUTE ? from.st_value : addr;
    add_named(list, &symbol, name);
  }
}

/* ---- .dynsym: what is exported, with versions ----------------------------------------------- */

static Elf_Data *data_of(Elf_Scn *section, GElf_Shdr *header)
{
  if (!section || !gelf_getshdr(section, header) || header->sh_type == SHT_NOBITS ||
      header->sh_flags & SHF_COMPRESSED)
    return NULL;
  return elf_getdata(section, NULL);
}

/* The section of this type (that belongs to section number `link`, if that is not 0). */
static Elf_Scn *find_section(Elf *elf, GElf_Word type, size_t link)
{
  GElf_Shdr header;
  int count = 0;
  for (Elf_Scn *one = elf_nextscn(elf, NULL); one && count++ < SECTIONS_MAX;
       one = elf_nextscn(elf, one))
    if (gelf_getshdr(one, &header) && header.sh_type == type && (!link || header.sh_link == link))
      return one;
  return NULL;
}

static void add_exported(struct lt_read_file *file, struct lt_read_list *list)
{
  GElf_Shdr header, versions_header;
  Elf_Scn *section = find_section(file->elf, SHT_DYNSYM, 0);
  Elf_Data *data = data_of(section, &header);
  if (!data)
    return;
  Elf_Data *versions =
      data_of(find_section(file->elf, SHT_GNU_versym, elf_ndxscn(section)), &versions_header);
  for (int i = 1; i < LT_READ_SYMBOLS_MAX; i++) {
    GElf_Sym from;
    GElf_Versym version;
    struct lt_read_symbol symbol = {0};
    if (!gelf_getsym(data, i, &from))
      return;
    const char *name = elf_strptr(file->elf, header.sh_link, from.st_name);
    if (!name || !describe(&from, from.st_shndx, &symbol))
      continue;
    if (versions && gelf_getversym(versions, i, &version) && version & HIDDEN)
      symbol.flags |= LT_SYMBOL_OLD;
    symbol.addr = from.st_value;
    lt_read_symbol_add(list, &symbol, name, strnlen(name, NAME_MAX_SIZE + 1));
  }
}

/* ---- Order -------------------------------------------------------------------------------- */

static int compare_numbers(uint64_t a, uint64_t b)
{
  return a < b ? -1 : a > b;
}

/* By address; at one address first the name that people would use. */
static int compare(const void *left, const void *right, void *data)
{
  const struct lt_read_symbol *a = left, *b = right;
  const char *pool = data, *x = pool + a->name, *y = pool + b->name;
  int order = compare_numbers(a->addr, b->addr);
  if (!order)
    order = compare_numbers(a->kind, b->kind);
  if (!order)
    order = compare_numbers(a->flags & LT_SYMBOL_LOCAL, b->flags & LT_SYMBOL_LOCAL);
  if (!order)
    order = compare_numbers(strspn(x, "_"), strspn(y, "_"));
  if (!order)
    order = compare_numbers(strlen(x), strlen(y));
  if (!order)
    order = strcmp(x, y);
  return order ? order : compare_numbers(a->flags, b->flags);
}

/* The two tables have much in common. What one of them knows to be an old version is one. */
static void merge(struct lt_read_list *list)
{
  const char *pool = (const char *)list->pool.at;
  size_t kept = 0;
  if (list->count)
    qsort_r(list->symbols, list->count, sizeof *list->symbols, compare, list->pool.at);
  for (size_t i = 0; i < list->count; i++) {
    struct lt_read_symbol *last = kept ? &list->symbols[kept - 1] : NULL;
    const struct lt_read_symbol *one = &list->symbols[i];
    if (last && last->addr == one->addr && strcmp(pool + last->name, pool + one->name) == 0) {
      last->flags |= one->flags & LT_SYMBOL_INDIRECT;
      last->flags &= one->flags | (uint8_t)~LT_SYMBOL_OLD;
    } else {
      list->symbols[kept++] = *one;
    }
  }
  list->count = kept;
}

/* ---- Answers ------------------------------------------------------------------------------ */

static void put_symbols(const struct lt_read_list *list, struct lt_bytes *ret)
{
  lt_put_u64(ret, list->count);
  lt_put(ret, list->symbols, list->count * sizeof *list->symbols);
  lt_put(ret, list->pool.at, list->pool.size);
}

/* For each symbol two places among the texts behind, 0 for none: its name as it is in the source,
 * without and with the types of its parameters. */
static void put_demangled(const struct lt_read_list *list, struct lt_bytes *ret)
{
  struct lt_bytes texts = {0};
  lt_put_u8(&texts, 0);
  lt_put_u64(ret, list->count);
  for (size_t i = 0; i < list->count; i++) {
    const char *name = (const char *)list->pool.at + list->symbols[i].name;
    for (int full = 0; full < 2; full++) {
      char *text = lt_demangle(name, full);
      lt_put_u32(ret, text && texts.size < UINT32_MAX / 2 ? (uint32_t)texts.size : 0);
      if (text)
        lt_put_string(&texts, text);
      free(text);
    }
  }
  lt_put(ret, texts.at, texts.size);
  ret->failed |= texts.failed;
  lt_bytes_free(&texts);
}

/* Question: whether demangled names are wanted (u8). Answer: the number of symbols (u64); then
 * without: as many struct lt_read_symbol in order of addresses, and the names that they refer to;
 * with: pairs of places (u32), and texts. */
int lt_read_symbols(struct lt_read_file *file, struct lt_bytes_in *question, struct lt_bytes *ret)
{
  struct lt_read_list list = {0};
  bool demangled = lt_get_u8(question);
  if (question->failed)
    return -EINVAL;
  lt_put_u8(&list.pool, 0);
  add_all(file, &list);
  add_exported(file, &list);
  lt_read_plt(file, &list);
  int error = list.pool.failed ? -ENOMEM : 0;
  if (!error) {
    merge(&list);
    if (demangled)
      put_demangled(&list, ret);
    else
      put_symbols(&list, ret);
  }
  lt_bytes_free(&list.pool);
  free(list.symbols);
  return error;
}

/* Question: a name (string). Answer: as it is in the source, without and with parameters; "" where
 * it is not mangled. */
int lt_read_demangle(struct lt_read_file *file, struct lt_bytes_in *question, struct lt_bytes *ret)
{
  (void)file;
  const char *name = lt_get_string(question);
  for (int full = 0; full < 2; full++) {
    char *text = lt_demangle(name, full);
    lt_put_string(ret, text);
    free(text);
  }
  return question->failed ? -EINVAL : 0;
}

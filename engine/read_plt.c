/* read_plt.c - names for the code through which a module calls functions of others: "puts@plt".
 *
 * Each piece of it jumps through a slot of a table that the dynamic loader fills; the relocation of
 * that slot has the name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "luatrace.h"
#include "read_symbols.h"

#define SECTIONS_MAX 65536
#define SLOTS_MAX 1000000
#define ENTRIES_MAX 1000000
#define NAME_MAX_SIZE 4096
#define GLOB_DAT 6 /* the same in R_X86_64_* and R_386_* */
#define JUMP_SLOT 7

struct slot {
  uint64_t addr;
  const char *name;
};

struct slots {
  struct slot *list;
  size_t count, room;
  uint64_t table; /* what code that is not bound to an address counts from (i386) */
  bool is_64;
};

static Elf_Data *data_of(Elf_Scn *section, const GElf_Shdr *header)
{
  if (header->sh_type == SHT_NOBITS || header->sh_flags & SHF_COMPRESSED)
    return NULL;
  return elf_getdata(section, NULL);
}

static void add_slot(struct slots *slots, uint64_t addr, const char *name)
{
  if (slots->count == SLOTS_MAX || !name || !name[0])
    return;
  if (slots->count == slots->room) {
    size_t room = slots->room ? 2 * slots->room : 256;
    struct slot *list = realloc(slots->list, room * sizeof *list);
    if (!list)
      return;
    slots->list = list;
    slots->room = room;
  }
  slots->list[slots->count++] = (struct slot){addr, name};
}

/* The slots that a section of relocations fills, by the names of its table of symbols. */
static void read_relocations(Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
                             struct slots *slots)
{
  GElf_Shdr symbols_header;
  Elf_Scn *symbols = elf_getscn(elf, header->sh_link);
  Elf_Data *data = data_of(section, header);
  if (!data || !symbols || !gelf_getshdr(symbols, &symbols_header) ||
      symbols_header.sh_type != SHT_DYNSYM)
    return;
  Elf_Data *table = data_of(symbols, &symbols_header);
  for (int i = 0; table && i < SLOTS_MAX; i++) {
    GElf_Rela one = {0};
    GElf_Rel narrow;
    GElf_Sym symbol;
    if (header->sh_type == SHT_RELA ? !gelf_getrela(data, i, &one) : !gelf_getrel(data, i, &narrow))
      return;
    if (header->sh_type == SHT_REL)
      one = (GElf_Rela){.r_offset = narrow.r_offset, .r_info = narrow.r_info};
    unsigned type = (unsigned)GELF_R_TYPE(one.r_info);
    if ((type == GLOB_DAT || type == JUMP_SLOT) &&
        gelf_getsym(table, (int)GELF_R_SYM(one.r_info), &symbol))
      add_slot(slots, one.r_offset, elf_strptr(elf, symbols_header.sh_link, symbol.st_name));
  }
}

static int compare(const void *a, const void *b)
{
  const struct slot *x = a, *y = b;
  return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* The slot that the code at `addr` jumps through: jmp *disp(%rip), jmp *addr, jmp *disp(%ebx). */
static bool jumps_to(const struct slots *slots, const uint8_t *code, size_t size, uint64_t addr,
                     uint64_t *ret)
{
  for (size_t i = 0; i + 6 <= size; i++) {
    int32_t disp;
    if (code[i] != 0xff || (code[i + 1] != 0x25 && (slots->is_64 || code[i + 1] != 0xa3)))
      continue;
    memcpy(&disp, code + i + 2, sizeof disp);
    if (slots->is_64)
      *ret = addr + i + 6 + (uint64_t)(int64_t)disp;
    else
      *ret = (uint32_t)(code[i + 1] == 0x25 ? (uint64_t)disp : slots->table + (uint64_t)disp);
    return true;
  }
  return false;
}

static void read_code(Elf_Scn *section, const GElf_Shdr *header, const struct slots *slots,
                      struct lt_read_list *list)
{
  Elf_Data *data = data_of(section, header);
  size_t step = header->sh_entsize == 8 ? 8 : 16;
  for (size_t at = 0; data && at + step <= data->d_size && at / step < ENTRIES_MAX; at += step) {
    struct slot wanted = {0};
    char name[NAME_MAX_SIZE + 8];
    const uint8_t *code = (const uint8_t *)data->d_buf + at;
    if (!jumps_to(slots, code, step, header->sh_addr + at, &wanted.addr))
      continue;
    const struct slot *slot = bsearch(&wanted, slots->list, slots->count, sizeof wanted, compare);
    if (!slot || strnlen(slot->name, NAME_MAX_SIZE) == NAME_MAX_SIZE)
      continue;
    int size = snprintf(name, sizeof name, "%s@plt", slot->name);
    struct lt_read_symbol symbol = {
        .addr = header->sh_addr + at,
        .size = step,
        .kind = LT_SYMBOL_PLT,
        .flags = LT_SYMBOL_LOCAL,
    };
    lt_read_symbol_add(list, &symbol, name, (size_t)size);
  }
}

void lt_read_plt(struct lt_read_file *file, struct lt_read_list *list)
{
  Elf *elf = file->elf;
  struct slots slots = {.is_64 = gelf_getclass(elf) == ELFCLASS64};
  GElf_Shdr header;
  size_t names;
  int count = 0;
  if (elf_getshdrstrndx(elf, &names) != 0)
    return;
  for (Elf_Scn *one = elf_nextscn(elf, NULL); one && count++ < SECTIONS_MAX;
       one = elf_nextscn(elf, one)) {
    const char *name = gelf_getshdr(one, &header) ? elf_strptr(elf, names, header.sh_name) : NULL;
    if (name && (strcmp(name, ".got.plt") == 0 || (strcmp(name, ".got") == 0 && !slots.table)))
      slots.table = header.sh_addr;
    if (name && (header.sh_type == SHT_RELA || header.sh_type == SHT_REL))
      read_relocations(elf, one, &header, &slots);
  }
  if (slots.count)
    qsort(slots.list, slots.count, sizeof *slots.list, compare);
  count = 0;
  for (Elf_Scn *one = elf_nextscn(elf, NULL); one && count++ < SECTIONS_MAX && slots.count;
       one = elf_nextscn(elf, one)) {
    const char *name = gelf_getshdr(one, &header) ? elf_strptr(elf, names, header.sh_name) : NULL;
    if (name && strncmp(name, ".plt", 4) == 0 && header.sh_flags & SHF_EXECINSTR)
      read_code(one, &header, &slots, list);
  }
  free(slots.list);
}

/* decode_system.c - prctl and what tells or changes the state of the system. */
#include "decode.h"

#include <inttypes.h>
#include <string.h>

/* ---- prctl -------------------------------------------------------------------------------- */

enum {
  PR_SET_PDEATHSIG = 1,
  PR_GET_PDEATHSIG = 2,
  PR_GET_DUMPABLE = 3,
  PR_SET_DUMPABLE = 4,
  PR_GET_KEEPCAPS = 7,
  PR_SET_KEEPCAPS = 8,
  PR_GET_TIMING = 13,
  PR_SET_NAME = 15,
  PR_GET_NAME = 16,
  PR_GET_SECCOMP = 21,
  PR_SET_SECCOMP = 22,
  PR_CAPBSET_READ = 23,
  PR_CAPBSET_DROP = 24,
  PR_GET_TSC = 25,
  PR_GET_SECUREBITS = 27,
  PR_SET_TIMERSLACK = 29,
  PR_GET_TIMERSLACK = 30,
  PR_SET_CHILD_SUBREAPER = 36,
  PR_GET_CHILD_SUBREAPER = 37,
  PR_SET_NO_NEW_PRIVS = 38,
  PR_GET_NO_NEW_PRIVS = 39,
  PR_GET_TID_ADDRESS = 40,
  PR_CAP_AMBIENT = 47,
  PR_SET_VMA = 0x53564d41,
};

/* What a command's arguments are: 'n' a number, 'x' in hexadecimal, 's' a string, 'p' an address,
 * 'S' a signal, 'C' a capability, 'D' dumpable, 'M' a seccomp mode, 'A' an ambient command; for
 * calls that fill it: 'i' an int, 'N' the name of a thread, 'g' a signal, 'a' an address. */
static const struct {
  uint32_t command;
  char args[5];
} prctls[] = {
    {PR_SET_PDEATHSIG, "S"},
    {PR_GET_PDEATHSIG, "g"},
    {PR_GET_DUMPABLE, ""},
    {PR_SET_DUMPABLE, "D"},
    {PR_GET_KEEPCAPS, ""},
    {PR_SET_KEEPCAPS, "n"},
    {PR_GET_TIMING, ""},
    {PR_SET_NAME, "s"},
    {PR_GET_NAME, "N"},
    {PR_GET_SECCOMP, ""},
    {PR_SET_SECCOMP, "Mp"},
    {PR_CAPBSET_READ, "C"},
    {PR_CAPBSET_DROP, "C"},
    {PR_GET_TSC, "i"},
    {PR_GET_SECUREBITS, ""},
    {PR_SET_TIMERSLACK, "n"},
    {PR_GET_TIMERSLACK, ""},
    {PR_SET_CHILD_SUBREAPER, "n"},
    {PR_GET_CHILD_SUBREAPER, "i"},
    {PR_SET_NO_NEW_PRIVS, "nnnn"},
    {PR_GET_NO_NEW_PRIVS, "nnnn"},
    {PR_GET_TID_ADDRESS, "a"},
    {PR_CAP_AMBIENT, "ACnn"},
    {PR_SET_VMA, "vpns"},
};

static char prctl_kind(uint32_t command, unsigned index)
{
  for (size_t i = 0; i < sizeof(prctls) / sizeof(prctls[0]); i++) {
    if (prctls[i].command == command) {
      return prctls[i].args[index - 1];
    }
  }
  return 'x';
}

/* The thread's name: 16 bytes at most. */
static void show_name(struct lt_decode *d, uint64_t value)
{
  char name[16];
  bool whole;
  ssize_t size = lt_decode_string(d, value, name, sizeof(name) - 1, &whole);
  if (size < 0) {
    lt_show_pointer(d, value);
  } else {
    lt_text_quote(d->text, name, (size_t)size, LT_QUOTE);
    lt_text_put(d->text, whole ? "" : "...");
  }
}

static void show_signal_at(struct lt_decode *d, uint64_t value)
{
  int32_t signo;
  if (!lt_decode_read(d, value, &signo, sizeof(signo))) {
    lt_show_pointer(d, value);
    return;
  }
  lt_text_put(d->text, "[");
  lt_show_signal_number(d, signo);
  lt_text_put(d->text, "]");
}

static void show_filled(struct lt_decode *d, char kind, unsigned index, uint64_t value)
{
  d->fresh = true;
  if (!lt_decode_succeeded(d)) {
    lt_show_pointer(d, value);
  } else if (kind == 'i') {
    lt_show_int_at(d, index, value);
  } else if (kind == 'N') {
    show_name(d, value);
  } else if (kind == 'g') {
    show_signal_at(d, value);
  } else {
    lt_show_ulong_hex_at(d, index, value);
  }
}

void lt_show_prctl_arg(struct lt_decode *d, unsigned index, uint64_t value)
{
  char kind = prctl_kind((uint32_t)lt_decode_arg(d, 0), index);
  switch (kind) {
  case '\0':
    break;
  case 'n':
    lt_text_unsigned(d->text, value);
    break;
  case 's':
    show_name(d, value);
    break;
  case 'p':
    lt_show_pointer(d, value);
    break;
  case 'S':
    lt_show_signal_number(d, (int)value);
    break;
  case 'C':
    lt_flags_add(d->text, "capability", value);
    break;
  case 'D':
    lt_flags_add(d->text, "dumpable", value);
    break;
  case 'M':
    lt_flags_add(d->text, "seccomp_mode", value);
    break;
  case 'A':
    lt_flags_add(d->text, "cap_ambient", value);
    break;
  case 'v':
    if (value) {
      lt_text_add(d->text, "%#" PRIx64 " /* PR_SET_VMA_??? */", value);
    } else {
      lt_text_put(d->text, "PR_SET_VMA_ANON_NAME");
    }
    break;
  case 'i':
  case 'N':
  case 'g':
  case 'a':
    show_filled(d, kind, index, value);
    break;
  default:
    lt_text_hex(d->text, value);
    break;
  }
}

/* ARCH_GET_FS and ARCH_GET_GS fill a word. */
void lt_show_arch_prctl_arg(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint64_t code = lt_decode_arg(d, 0);
  if ((code == 0x1003 || code == 0x1004) && lt_decode_succeeded(d)) {
    d->fresh = true;
    lt_show_ulong_hex_at(d, index, value);
  } else if (code == 0x1012) {
    lt_text_unsigned(d->text, value);
  } else if (code != 0x1011) {
    lt_text_hex(d->text, value);
  }
}

/* ---- Capabilities ------------------------------------------------------------------------- */

void lt_show_cap_header(struct lt_decode *d, unsigned index, uint64_t value)
{
  struct {
    uint32_t version;
    int32_t pid;
  } header;
  (void)index;
  if (!lt_decode_read(d, value, &header, sizeof(header))) {
    lt_show_pointer(d, value);
    return;
  }
  lt_text_put(d->text, "{version=");
  lt_flags_add(d->text, "cap_version", header.version);
  lt_text_add(d->text, ", pid=%d}", header.pid);
}

static void show_capabilities(struct lt_decode *d, const char *name, uint64_t bits)
{
  const char *separator = "";
  lt_text_put(d->text, name);
  if (!bits) {
    lt_text_put(d->text, "0");
  }
  for (unsigned i = 0; i < 64 && bits; i++) {
    const char *capability = lt_flags_name("capability", i);
    if (capability && bits >> i & 1) {
      lt_text_add(d->text, "%s1<<%s", separator, capability);
      separator = "|";
      bits &= ~(1ull << i);
    }
  }
  if (bits) {
    lt_text_add(d->text, "%s%#" PRIx64, separator, bits);
  }
}

void lt_show_cap_data(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint32_t version, sets[6] = {0};
  (void)index;
  size_t size =
      lt_decode_read(d, lt_decode_arg(d, 0), &version, sizeof(version)) && version == 0x19980330
          ? 12
          : 24;
  if (!lt_decode_read(d, value, sets, size)) {
    lt_show_pointer(d, value);
    return;
  }
  show_capabilities(d, "{effective=", sets[0] | (uint64_t)sets[3] << 32);
  show_capabilities(d, ", permitted=", sets[1] | (uint64_t)sets[4] << 32);
  show_capabilities(d, ", inheritable=", sets[2] | (uint64_t)sets[5] << 32);
  lt_text_put(d->text, "}");
}

/* ---- The system --------------------------------------------------------------------------- */

#define UTS_FIELD 65

void lt_show_utsname(struct lt_decode *d, unsigned index, uint64_t value)
{
  char names[2 * UTS_FIELD];
  (void)index;
  if (!lt_decode_read(d, value, names, sizeof(names))) {
    lt_show_pointer(d, value);
    return;
  }
  lt_text_put(d->text, "{sysname=");
  lt_show_field(d, names, UTS_FIELD);
  lt_text_put(d->text, ", nodename=");
  lt_show_field(d, names + UTS_FIELD, UTS_FIELD);
  lt_text_put(d->text, ", ...}");
}

/* uptime, three loads, six sizes, a 16-bit count, two sizes, a 32-bit unit. */
void lt_show_sysinfo(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint64_t w[10], high[2];
  uint16_t processes;
  uint32_t unit;
  unsigned word = lt_decode_word(d);
  uint64_t at = value + 10 * word;
  (void)index;
  if (lt_decode_words(d, value, w, 10) != 10 || !lt_decode_read(d, at, &processes, 2) ||
      lt_decode_words(d, at + word, high, 2) != 2 || !lt_decode_read(d, at + 3 * word, &unit, 4)) {
    lt_show_pointer(d, value);
    return;
  }
  lt_text_add(d->text, "{uptime=%" PRIu64 ", loads=[%" PRIu64 ", %" PRIu64 ", %" PRIu64 "]", w[0],
              w[1], w[2], w[3]);
  lt_text_add(d->text, ", totalram=%" PRIu64 ", freeram=%" PRIu64 ", sharedram=%" PRIu64, w[4],
              w[5], w[6]);
  lt_text_add(d->text, ", bufferram=%" PRIu64 ", totalswap=%" PRIu64 ", freeswap=%" PRIu64, w[7],
              w[8], w[9]);
  lt_text_add(d->text,
              ", procs=%u, totalhigh=%" PRIu64 ", freehigh=%" PRIu64 ", mem_unit=%" PRIu32 "}",
              processes, high[0], high[1], unit);
}

#define RESTART2 0xa1b2c3d4

void lt_show_reboot_arg(struct lt_decode *d, unsigned index, uint64_t value)
{
  if ((uint32_t)lt_decode_arg(d, index - 1) == RESTART2) {
    lt_show_string_at(d, value, LT_SHOW_BYTES);
  }
}

/* A serial number, or one of the special keyrings. */
void lt_show_key(struct lt_decode *d, unsigned index, uint64_t value)
{
  const char *name = lt_flags_name("key_special", (uint32_t)value);
  (void)index;
  if (name) {
    lt_text_put(d->text, name);
  } else {
    lt_text_add(d->text, "%d", (int32_t)value);
  }
}

void lt_show_personality(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint32_t bits = (uint32_t)value & ~0xffu;
  (void)index;
  if ((uint32_t)value == UINT32_MAX) {
    lt_text_put(d->text, "0xffffffff");
    return;
  }
  lt_flags_add(d->text, "persona", value & 0xff);
  if (bits) {
    lt_text_put(d->text, "|");
    lt_flags_add(d->text, "persona_bits", bits);
  }
}

void lt_show_syslog_type(struct lt_decode *d, unsigned index, uint64_t value)
{
  const char *name = lt_flags_name("syslog", (uint32_t)value);
  (void)index;
  lt_text_add(d->text, "%d /* %s */", (int32_t)value, name ? name : "SYSLOG_ACTION_???");
}

void lt_show_kexec_flags(struct lt_decode *d, unsigned index, uint64_t value)
{
  uint64_t bits = value & ~0xffff0000ull;
  (void)index;
  if (value & 0xffff0000) {
    lt_text_add(d->text, "%#" PRIx64 " /* KEXEC_ARCH */", value & 0xffff0000);
  } else {
    lt_text_put(d->text, "KEXEC_ARCH_DEFAULT");
  }
  if (bits) {
    lt_text_put(d->text, "|");
    lt_flags_add(d->text, "kexec", bits);
  }
}

/* run.c - a fuzz target's main() where there is no libFuzzer: runs the files of a folder. */
#include <dirent.h>
#include <string.h>

#include "fuzz.h"

#define LARGEST ((size_t)1 << 20)

static void run_file(const char *path)
{
  uint8_t *bytes = malloc(LARGEST);
  FILE *file = fopen(path, "rb");
  MUST(bytes && file);
  size_t size = fread(bytes, 1, LARGEST, file);
  fclose(file);
  /* A copy of its exact size, so that sanitizers see what reads beyond it. */
  uint8_t *exact = malloc(size ? size : 1);
  MUST(exact);
  memcpy(exact, bytes, size);
  LLVMFuzzerTestOneInput(exact, size);
  free(exact);
  free(bytes);
}

int main(int argc, char **argv)
{
  unsigned count = 0;
  DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
  const struct dirent *entry;
  if (!folder) {
    fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  while ((entry = readdir(folder))) {
    char path[4096];
    if (entry->d_name[0] == '.')
      continue;
    snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
    run_file(path);
    count++;
  }
  closedir(folder);
  printf("%u files\n", count);
  return count ? 0 : 1;
}

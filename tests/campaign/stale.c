/* Lets a process see files of run directories as a client of NFS does: what others have made is not there for a while,
 * and what stat says of it is as old. Loaded with LD_PRELOAD; STALE_ROOT and STALE_S say where and how long.
 * Only in the processes that stand for a notebook: a worker sees its own files at once.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MOST 512
static const char *ours[] = {"events.jsonl", "log", "end.json", "result", "time-limit", "scheduler.log", NULL};
static char root[PATH_MAX];
static double stale_s;
static struct { char path[PATH_MAX]; struct stat seen; double at; } cache[MOST];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

__attribute__((constructor)) static void begin(void) {
  char words[4096] = "";
  const char *where = getenv("STALE_ROOT"), *how_long = getenv("STALE_S");
  FILE *file = fopen("/proc/self/cmdline", "r");
  size_t size = file ? fread(words, 1, sizeof words - 1, file) : 0;
  if (file) fclose(file);
  for (size_t i = 0; i < size; i++)
    if (!words[i]) words[i] = ' ';
  if (where && how_long && (strstr(words, "tests.campaign.client") || strstr(words, "ipykernel"))) {
    snprintf(root, sizeof root, "%s/runs/", where);
    stale_s = atof(how_long);
  }
}

/* The path that is meant, if it is one of a worker's files. */
static int is_meant(int folder, const char *path, char *whole) {
  if (!stale_s || !path) return 0;
  if (path[0] == '/') {
    snprintf(whole, PATH_MAX, "%s", path);
  } else {
    char link[64], base[PATH_MAX];
    ssize_t size;
    if (folder == AT_FDCWD) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    if ((size = readlink(link, base, sizeof base - 1)) < 0) return 0;
    base[size] = 0;
    if (size + strlen(path) + 2 > PATH_MAX) return 0;
    snprintf(whole, PATH_MAX, "%.2000s/%.2000s", base, path);
  }
  if (strncmp(whole, root, strlen(root))) return 0;
  for (const char **name = ours; *name; name++) {
    const char *found = strstr(whole + strlen(root), *name);
    if (found && found[-1] == '/' && (!found[strlen(*name)] || found[strlen(*name)] == '/')) return 1;
  }
  return 0;
}

/* Whether nobody has looked at it since it was made and that was a moment ago. */
static int is_hidden(const char *whole) {
  struct statx seen;
  double made;
  if (statx(AT_FDCWD, whole, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &seen)) return 0;
  if ((seen.stx_mask & STATX_BTIME) && !strstr(whole, "/result") && !strstr(whole, "/end.json"))
    made = seen.stx_btime.tv_sec + seen.stx_btime.tv_nsec / 1e9;
  else /* renamed into its place */
    made = seen.stx_ctime.tv_sec + seen.stx_ctime.tv_nsec / 1e9;
  return now() - made < stale_s;
}

static int staled(const char *whole, struct stat *seen) {
  int free_one = -1;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < MOST; i++) {
    if (!strcmp(cache[i].path, whole)) {
      if (now() - cache[i].at < stale_s) *seen = cache[i].seen;
      else cache[i].seen = *seen, cache[i].at = now();
      pthread_mutex_unlock(&lock);
      return 0;
    }
    if (free_one < 0 && (!cache[i].path[0] || now() - cache[i].at > 60)) free_one = i;
  }
  if (free_one >= 0) {
    snprintf(cache[free_one].path, PATH_MAX, "%s", whole);
    cache[free_one].seen = *seen;
    cache[free_one].at = now();
  }
  pthread_mutex_unlock(&lock);
  return 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int looked(int folder, const char *path, struct stat *seen, int flags, int done) {
  char whole[PATH_MAX];
  (void)flags;
  if (done || !is_meant(folder, path, whole)) return done;
  if (is_hidden(whole)) return errno = ENOENT, -1;
  return staled(whole, seen);
}

int fstatat(int folder, const char *path, struct stat *seen, int flags) {
  return looked(folder, path, seen, flags, REAL(fstatat)(folder, path, seen, flags));
}
int fstatat64(int folder, const char *path, struct stat64 *seen, int flags) {
  return fstatat(folder, path, (struct stat *)seen, flags);
}
int stat(const char *path, struct stat *seen) { return fstatat(AT_FDCWD, path, seen, 0); }
int stat64(const char *path, struct stat64 *seen) { return fstatat(AT_FDCWD, path, (struct stat *)seen, 0); }
int lstat(const char *path, struct stat *seen) { return fstatat(AT_FDCWD, path, seen, AT_SYMLINK_NOFOLLOW); }
int lstat64(const char *path, struct stat64 *seen) { return lstat(path, (struct stat *)seen); }

static int opened(int folder, const char *path, int flags, mode_t mode) {
  char whole[PATH_MAX];
  if (!(flags & O_CREAT) && is_meant(folder, path, whole) && is_hidden(whole)) return errno = ENOENT, -1;
  return REAL(openat)(folder, path, flags, mode);
}

#define MODE(flags, mode)                            \
  mode_t mode = 0;                                   \
  if ((flags) & (O_CREAT | __O_TMPFILE)) {           \
    va_list more;                                    \
    va_start(more, flags);                           \
    mode = va_arg(more, mode_t);                     \
    va_end(more);                                    \
  }
int open(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE(flags, mode) return opened(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE(flags, mode) return opened(folder, path, flags, mode); }

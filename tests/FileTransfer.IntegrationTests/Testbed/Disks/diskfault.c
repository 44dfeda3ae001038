// Makes calls of a program fail for chosen files, as a failing disk does.
//
//   cc -shared -fPIC -O2 -o diskfault.so diskfault.c -ldl
//   LD_PRELOAD=./diskfault.so DISKFAULT_RULES=/rules program
//
// Each line of the rules, which are read again at every call, is one of:
//   read ERRNO INODE    this file cannot be read
//   open ERRNO INODE    nor opened
//   write ERRNO FOLDER  nothing below the folder can be made, changed or removed
// Calls that reach libc by dlsym, as those of the .NET runtime do, are seen like any others. For glibc.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// Whether a call fails; errno says with what.
static int fails(const char *call, ino_t inode, const char *path) {
  const char *file = getenv("DISKFAULT_RULES");
  int before = errno, rules = file ? (int)syscall(SYS_openat, AT_FDCWD, file, O_RDONLY | O_CLOEXEC) : -1;
  char text[8192], *rest = text;
  ssize_t length = rules < 0 ? -1 : syscall(SYS_read, rules, text, sizeof text - 1);
  if (rules >= 0) syscall(SYS_close, rules);
  text[length > 0 ? length : 0] = 0;
  for (char *line; (line = strtok_r(rest, "\n", &rest));) {
    char kind[16], what[PATH_MAX];
    int error;
    if (sscanf(line, "%15s %d %4095s", kind, &error, what) != 3 || strcmp(kind, call) != 0) continue;
    if (path ? strncmp(path, what, strlen(what)) == 0 : strtoull(what, NULL, 10) == inode) {
      errno = error;
      return 1;
    }
  }
  errno = before;
  return 0;
}

static int is_unreadable(int file) {
  struct stat found;
  return syscall(SYS_fstat, file, &found) == 0 && S_ISREG(found.st_mode) && fails("read", found.st_ino, NULL);
}

static int is_unwritable(int file) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  path[length > 0 ? length : 0] = 0;
  return fails("write", 0, path);
}

static int open_path(const char *path, int flags, mode_t mode) {
  struct stat found;
  if (flags & (O_WRONLY | O_RDWR | O_CREAT)) {
    if (fails("write", 0, path)) return -1;
  } else if (syscall(SYS_newfstatat, AT_FDCWD, path, &found, 0) == 0 && fails("open", found.st_ino, NULL)) {
    return -1;
  }
  return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

#define MODE_OF(flags) \
  mode_t mode = 0; \
  if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }

int open(const char *path, int flags, ...) { MODE_OF(flags) return open_path(path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_OF(flags) return open_path(path, flags, mode); }

ssize_t pread(int file, void *bytes, size_t length, off_t place) {
  return is_unreadable(file) ? -1 : syscall(SYS_pread64, file, bytes, length, place);
}
ssize_t pread64(int file, void *bytes, size_t length, off64_t place) { return pread(file, bytes, length, place); }
ssize_t preadv(int file, const struct iovec *data, int pieces, off_t place) {
  return is_unreadable(file) ? -1 : syscall(SYS_preadv, file, data, pieces, place, 0);
}
ssize_t preadv64(int file, const struct iovec *data, int pieces, off64_t place) { return preadv(file, data, pieces, place); }
ssize_t pwrite(int file, const void *bytes, size_t length, off_t place) {
  return is_unwritable(file) ? -1 : syscall(SYS_pwrite64, file, bytes, length, place);
}
ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t place) { return pwrite(file, bytes, length, place); }

int mkdir(const char *path, mode_t mode) { return fails("write", 0, path) ? -1 : syscall(SYS_mkdirat, AT_FDCWD, path, mode); }
int rename(const char *from, const char *to) {
  return fails("write", 0, from) || fails("write", 0, to) ? -1 : syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
int unlink(const char *path) { return fails("write", 0, path) ? -1 : syscall(SYS_unlinkat, AT_FDCWD, path, 0); }
int rmdir(const char *path) { return fails("write", 0, path) ? -1 : syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR); }
int symlink(const char *target, const char *path) {
  return fails("write", 0, path) ? -1 : syscall(SYS_symlinkat, target, AT_FDCWD, path);
}

static const struct { const char *name; void *function; } replaced[] = {
  {"open", open}, {"open64", open64}, {"pread", pread}, {"pread64", pread64}, {"preadv", preadv}, {"preadv64", preadv64},
  {"pwrite", pwrite}, {"pwrite64", pwrite64}, {"mkdir", mkdir}, {"rename", rename}, {"unlink", unlink}, {"rmdir", rmdir},
  {"symlink", symlink},
};

// Who looks a function up in libc itself gets the one here as well.
void *dlsym(void *library, const char *name) {
  static void *(*original)(void *, const char *);
  if (!original) {
    static const char *const versions[] = {"GLIBC_2.34", "GLIBC_2.17", "GLIBC_2.2.5"};
    for (size_t i = 0; !original && i < sizeof versions / sizeof *versions; i++) {
      original = (void *(*)(void *, const char *))dlvsym(RTLD_NEXT, "dlsym", versions[i]);
    }
    if (!original) abort();
  }
  for (size_t i = 0; library != RTLD_NEXT && i < sizeof replaced / sizeof *replaced; i++) {
    if (strcmp(name, replaced[i].name) == 0) return replaced[i].function;
  }
  return original(library, name);
}

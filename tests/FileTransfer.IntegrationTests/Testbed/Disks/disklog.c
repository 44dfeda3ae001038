// Writes down, in order, what a program does to the files below one folder, so that a test can tell what a power failure would have left.
//
//   cc -shared -fPIC -O2 -o disklog.so disklog.c -ldl -lpthread
//   LD_PRELOAD=./disklog.so DISKLOG_ROOT=/folder DISKLOG_FILE=/log program
//
// DISKLOG_CUT=n kills the program with SIGKILL right after its n-th entry. A flush is written down and not made: the log alone decides what
// is durable. Calls that reach libc by dlsym, as those of the .NET runtime do, are seen like any others. For glibc.
//
// An entry: u32 length of all of it, u32 kind, i64 inode, i64 offset, i64 length, u32 length of path, u32 of the other path, u32 of the data,
// u32 zero, then path, other path, data; little-endian, as the machine has it. DiskLog.cs reads it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind {
  CREATE = 1, MKDIR, SYMLINK, UNLINK, RMDIR, RENAME, LINK, WRITE, TRUNCATE, ALLOCATE, SYNC, MARK, NAMELESS, MAPPED, UNKNOWN
};

struct entry {
  uint32_t total, kind;
  int64_t inode, offset, length;
  uint32_t path_length, other_length, data_length, zero;
};

#define FILES 65536
static ino_t inodes[FILES]; // of an open file below the folder; 0 for all others
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static char root[PATH_MAX];
static size_t root_length;
static int log_file = -1;
static long cut = -1, entries;

static void begin(void) {
  const char *folder = getenv("DISKLOG_ROOT"), *file = getenv("DISKLOG_FILE"), *at = getenv("DISKLOG_CUT");
  if (!folder || !file || strlen(folder) >= sizeof root) return;
  int opened = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (opened < 0) return;
  log_file = (int)syscall(SYS_fcntl, opened, F_DUPFD_CLOEXEC, 900);
  syscall(SYS_close, opened);
  if (at && *at) cut = atol(at);
  strcpy(root, folder);
  root_length = strlen(root);
}

static int is_on(void) {
  pthread_once(&once, begin);
  return log_file >= 0;
}

// Call under the gate.
static void put(enum kind kind, int64_t inode, int64_t offset, int64_t length, const char *path, const char *other, const struct iovec *data,
                int pieces, size_t data_length) {
  struct entry entry = {0, kind, inode, offset, length, path ? strlen(path) : 0, other ? strlen(other) : 0, data_length, 0};
  struct iovec parts[3 + IOV_MAX];
  int count = 0, error = errno;
  parts[count++] = (struct iovec){&entry, sizeof entry};
  if (entry.path_length) parts[count++] = (struct iovec){(void *)path, entry.path_length};
  if (entry.other_length) parts[count++] = (struct iovec){(void *)other, entry.other_length};
  size_t left = data_length;
  for (int i = 0; i < pieces && left > 0 && count < IOV_MAX; i++) {
    size_t taken = data[i].iov_len < left ? data[i].iov_len : left;
    if (taken) parts[count++] = (struct iovec){data[i].iov_base, taken};
    left -= taken;
  }
  entry.total = sizeof entry + entry.path_length + entry.other_length + data_length;
  if (left > 0 || syscall(SYS_writev, log_file, parts, count) != (long)entry.total) {
    fprintf(stderr, "disklog: an entry could not be written\n");
    abort();
  }
  if (++entries == cut) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }
  errno = error;
}

static void put_name(enum kind kind, ino_t inode, const char *path, const char *other) { put(kind, inode, 0, 0, path, other, NULL, 0, 0); }

static ino_t inode_of(int file) { return file >= 0 && file < FILES ? inodes[file] : 0; }

static void track(int file, ino_t inode) {
  if (file >= 0 && file < FILES) inodes[file] = inode;
}

// The path from "/" on, without ".", ".." and double slashes; true when it lies below the folder or is it.
static int below(int folder, const char *path, char *full) {
  if (!path || !is_on()) return 0;
  char joined[2 * PATH_MAX];
  if (path[0] == '/') {
    if (strlen(path) >= sizeof joined) return 0;
    strcpy(joined, path);
  } else {
    char link[64], base[PATH_MAX];
    if (folder == AT_FDCWD) strcpy(link, "/proc/self/cwd");
    else snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, base, sizeof base - 1);
    if (length < 0 || length + strlen(path) + 2 > sizeof joined) return 0;
    memcpy(joined, base, length);
    joined[length] = '/';
    strcpy(joined + length + 1, path);
  }
  size_t at = 0;
  for (char *part = joined; *part;) {
    while (*part == '/') part++;
    size_t length = strcspn(part, "/");
    if (length == 2 && part[0] == '.' && part[1] == '.') {
      while (at > 0 && full[--at] != '/') {}
    } else if (length > 0 && !(length == 1 && part[0] == '.')) {
      if (at + length + 2 > PATH_MAX) return 0;
      full[at++] = '/';
      memcpy(full + at, part, length);
      at += length;
    }
    part += length;
  }
  full[at] = 0;
  return strncmp(full, root, root_length) == 0 && (full[root_length] == '/' || full[root_length] == 0);
}

static int exists(const char *path) {
  struct stat found;
  int error = errno, is = syscall(SYS_newfstatat, AT_FDCWD, path, &found, AT_SYMLINK_NOFOLLOW) == 0;
  errno = error;
  return is;
}

static ino_t inode_at(const char *path) {
  struct stat found;
  return syscall(SYS_newfstatat, AT_FDCWD, path, &found, AT_SYMLINK_NOFOLLOW) == 0 ? found.st_ino : 0;
}

#define LOCK pthread_mutex_lock(&gate)
#define UNLOCK pthread_mutex_unlock(&gate)

static int open_at(int folder, const char *path, int flags, mode_t mode) {
  char full[PATH_MAX];
  if (!below(folder, path, full)) {
    int file = syscall(SYS_openat, folder, path, flags, mode);
    track(file, 0);
    return file;
  }
  LOCK;
  int was_there = exists(full);
  int file = syscall(SYS_openat, folder, path, flags, mode);
  if (file >= 0) {
    struct stat found;
    fstat(file, &found);
    track(file, found.st_ino);
    if ((flags & O_TMPFILE) == O_TMPFILE) put_name(NAMELESS, found.st_ino, NULL, NULL);
    else if ((flags & O_CREAT) && !was_there) put_name(CREATE, found.st_ino, full, NULL);
    else if (flags & O_TRUNC) put(TRUNCATE, found.st_ino, 0, 0, NULL, NULL, NULL, 0, 0);
    if (flags & O_DSYNC) put_name(UNKNOWN, found.st_ino, full, "O_SYNC");
  }
  UNLOCK;
  return file;
}

#define MODE_OF(flags) \
  mode_t mode = 0; \
  if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }

int open(const char *path, int flags, ...) { MODE_OF(flags) return open_at(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE_OF(flags) return open_at(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE_OF(flags) return open_at(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE_OF(flags) return open_at(folder, path, flags, mode); }
int __open_2(const char *path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __openat_2(int folder, const char *path, int flags) { return open_at(folder, path, flags, 0); }
int __openat64_2(int folder, const char *path, int flags) { return open_at(folder, path, flags, 0); }
int creat(const char *path, mode_t mode) { return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

int close(int file) {
  track(file, 0);
  return syscall(SYS_close, file);
}

static int duplicated(int from, int to) {
  track(to, inode_of(from));
  return to;
}

int dup(int file) { return duplicated(file, syscall(SYS_dup, file)); }

// Where the next write without a place goes; call under the gate.
static off_t place_of(int file) {
  struct stat found;
  if (syscall(SYS_fcntl, file, F_GETFL) & O_APPEND) return fstat(file, &found) == 0 ? found.st_size : 0;
  return syscall(SYS_lseek, file, 0, SEEK_CUR);
}

static ssize_t written(ino_t inode, off_t place, const struct iovec *data, int pieces, ssize_t count) {
  if (count > 0) put(WRITE, inode, place, count, NULL, NULL, data, pieces, count);
  return count;
}

ssize_t write(int file, const void *bytes, size_t length) {
  ino_t inode = inode_of(file);
  if (!inode) return syscall(SYS_write, file, bytes, length);
  struct iovec data = {(void *)bytes, length};
  LOCK;
  off_t place = place_of(file);
  ssize_t count = written(inode, place, &data, 1, syscall(SYS_write, file, bytes, length));
  UNLOCK;
  return count;
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t place) {
  ino_t inode = inode_of(file);
  if (!inode) return syscall(SYS_pwrite64, file, bytes, length, place);
  struct iovec data = {(void *)bytes, length};
  LOCK;
  ssize_t count = written(inode, place, &data, 1, syscall(SYS_pwrite64, file, bytes, length, place));
  UNLOCK;
  return count;
}
ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t place) { return pwrite(file, bytes, length, place); }

ssize_t writev(int file, const struct iovec *data, int pieces) {
  ino_t inode = inode_of(file);
  if (!inode) return syscall(SYS_writev, file, data, pieces);
  LOCK;
  off_t place = place_of(file);
  ssize_t count = written(inode, place, data, pieces, syscall(SYS_writev, file, data, pieces));
  UNLOCK;
  return count;
}

ssize_t pwritev(int file, const struct iovec *data, int pieces, off_t place) {
  ino_t inode = inode_of(file);
  if (!inode) return syscall(SYS_pwritev, file, data, pieces, place, 0);
  LOCK;
  ssize_t count = written(inode, place, data, pieces, syscall(SYS_pwritev, file, data, pieces, place, 0));
  UNLOCK;
  return count;
}
ssize_t pwritev64(int file, const struct iovec *data, int pieces, off64_t place) { return pwritev(file, data, pieces, place); }

// What the system copied by itself is read back.
static ssize_t copied(int file, off_t place, ssize_t count) {
  for (ssize_t at = 0; at < count;) {
    char bytes[65536];
    size_t wanted = (size_t)(count - at) < sizeof bytes ? (size_t)(count - at) : sizeof bytes;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    int again = syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC);
    ssize_t got = again >= 0 ? syscall(SYS_pread64, again, bytes, wanted, place + at) : -1;
    if (again >= 0) syscall(SYS_close, again);
    if (got <= 0) {
      put_name(UNKNOWN, inode_of(file), "copy", NULL);
      break;
    }
    struct iovec data = {bytes, got};
    put(WRITE, inode_of(file), place + at, got, NULL, NULL, &data, 1, got);
    at += got;
  }
  return count;
}

ssize_t copy_file_range(int from, off64_t *from_place, int to, off64_t *to_place, size_t length, unsigned flags) {
  if (!inode_of(to)) return syscall(SYS_copy_file_range, from, from_place, to, to_place, length, flags);
  LOCK;
  off_t place = to_place ? *to_place : place_of(to);
  ssize_t count = copied(to, place, syscall(SYS_copy_file_range, from, from_place, to, to_place, length, flags));
  UNLOCK;
  return count;
}

ssize_t sendfile(int to, int from, off_t *from_place, size_t length) {
  if (!inode_of(to)) return syscall(SYS_sendfile, to, from, from_place, length);
  LOCK;
  off_t place = place_of(to);
  ssize_t count = copied(to, place, syscall(SYS_sendfile, to, from, from_place, length));
  UNLOCK;
  return count;
}
ssize_t sendfile64(int to, int from, off64_t *from_place, size_t length) { return sendfile(to, from, from_place, length); }

int ftruncate(int file, off_t length) {
  ino_t inode = inode_of(file);
  if (!inode) return syscall(SYS_ftruncate, file, length);
  LOCK;
  int result = syscall(SYS_ftruncate, file, length);
  if (result == 0) put(TRUNCATE, inode, 0, length, NULL, NULL, NULL, 0, 0);
  UNLOCK;
  return result;
}
int ftruncate64(int file, off64_t length) { return ftruncate(file, length); }

int fallocate(int file, int mode, off_t place, off_t length) {
  ino_t inode = inode_of(file);
  if (!inode) return syscall(SYS_fallocate, file, mode, place, length);
  LOCK;
  int result = syscall(SYS_fallocate, file, mode, place, length);
  if (result == 0 && mode == 0) put(ALLOCATE, inode, place, length, NULL, NULL, NULL, 0, 0);
  else if (result == 0 && mode != FALLOC_FL_KEEP_SIZE) put_name(UNKNOWN, inode, "fallocate", NULL);
  UNLOCK;
  return result;
}
int fallocate64(int file, int mode, off64_t place, off64_t length) { return fallocate(file, mode, place, length); }
int posix_fallocate(int file, off_t place, off_t length) { return fallocate(file, 0, place, length) == 0 ? 0 : errno; }
int posix_fallocate64(int file, off64_t place, off64_t length) { return posix_fallocate(file, place, length); }

static int flushed(ino_t inode) {
  LOCK;
  put(SYNC, inode, 0, 0, NULL, NULL, NULL, 0, 0);
  UNLOCK;
  return 0;
}

int fsync(int file) { return inode_of(file) ? flushed(inode_of(file)) : syscall(SYS_fsync, file); }
int fdatasync(int file) { return inode_of(file) ? flushed(inode_of(file)) : syscall(SYS_fdatasync, file); }
int syncfs(int file) { return inode_of(file) ? flushed(0) : syscall(SYS_syncfs, file); }
void sync(void) { is_on() ? (void)flushed(0) : (void)syscall(SYS_sync); }

static int renamed(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
  char full_from[PATH_MAX], full_to[PATH_MAX];
  int from_below = below(from_folder, from, full_from), to_below = below(to_folder, to, full_to);
  if (!from_below && !to_below) return syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
  LOCK;
  int result = syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
  if (result == 0) {
    put_name(from_below && to_below && !(flags & RENAME_EXCHANGE) ? RENAME : UNKNOWN, 0, full_from, full_to);
  }
  UNLOCK;
  return result;
}
int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_folder, const char *from, int to_folder, const char *to) { return renamed(from_folder, from, to_folder, to, 0); }
int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
  return renamed(from_folder, from, to_folder, to, flags);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
  char full[PATH_MAX];
  if (!below(to_folder, to, full)) return syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
  LOCK;
  int result = syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
  if (result == 0) put_name(LINK, inode_at(full), full, NULL);
  UNLOCK;
  return result;
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int symlinkat(const char *target, int folder, const char *path) {
  char full[PATH_MAX];
  if (!below(folder, path, full)) return syscall(SYS_symlinkat, target, folder, path);
  LOCK;
  int result = syscall(SYS_symlinkat, target, folder, path);
  if (result == 0) put_name(SYMLINK, inode_at(full), full, target);
  UNLOCK;
  return result;
}
int symlink(const char *target, const char *path) { return symlinkat(target, AT_FDCWD, path); }

int unlinkat(int folder, const char *path, int flags) {
  char full[PATH_MAX];
  if (!below(folder, path, full)) return syscall(SYS_unlinkat, folder, path, flags);
  LOCK;
  int result = syscall(SYS_unlinkat, folder, path, flags);
  if (result == 0) put_name(flags & AT_REMOVEDIR ? RMDIR : UNLINK, 0, full, NULL);
  UNLOCK;
  return result;
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int folder, const char *path, mode_t mode) {
  char full[PATH_MAX];
  if (!below(folder, path, full)) return syscall(SYS_mkdirat, folder, path, mode);
  LOCK;
  int result = syscall(SYS_mkdirat, folder, path, mode);
  if (result == 0) put_name(MKDIR, inode_at(full), full, NULL);
  UNLOCK;
  return result;
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

void *mmap(void *at, size_t length, int protection, int flags, int file, off_t place) {
  // A read-only mapping that is made writable later is not looked for.
  if (file >= 0 && (protection & PROT_WRITE) && (flags & MAP_SHARED) && inode_of(file)) {
    LOCK;
    put_name(MAPPED, inode_of(file), NULL, NULL);
    UNLOCK;
  }
  return (void *)syscall(SYS_mmap, at, length, protection, flags, file, place);
}
void *mmap64(void *at, size_t length, int protection, int flags, int file, off64_t place) {
  return mmap(at, length, protection, flags, file, place);
}

// A test's own words between the entries.
void disklog_mark(const char *text) {
  if (!is_on()) return;
  LOCK;
  put_name(MARK, 0, text, NULL);
  UNLOCK;
}

static const struct { const char *name; void *function; } replaced[] = {
  {"open", open}, {"open64", open64}, {"openat", openat}, {"openat64", openat64}, {"creat", creat}, {"creat64", creat64}, {"close", close},
  {"dup", dup}, {"write", write}, {"pwrite", pwrite}, {"pwrite64", pwrite64}, {"writev", writev}, {"pwritev", pwritev}, {"pwritev64", pwritev64},
  {"copy_file_range", copy_file_range}, {"sendfile", sendfile}, {"sendfile64", sendfile64}, {"ftruncate", ftruncate},
  {"ftruncate64", ftruncate64}, {"fallocate", fallocate}, {"fallocate64", fallocate64}, {"posix_fallocate", posix_fallocate},
  {"posix_fallocate64", posix_fallocate64}, {"fsync", fsync}, {"fdatasync", fdatasync}, {"syncfs", syncfs}, {"sync", sync}, {"rename", rename},
  {"renameat", renameat}, {"renameat2", renameat2}, {"linkat", linkat}, {"link", link}, {"symlinkat", symlinkat}, {"symlink", symlink},
  {"unlinkat", unlinkat}, {"unlink", unlink}, {"rmdir", rmdir}, {"mkdirat", mkdirat}, {"mkdir", mkdir}, {"mmap", mmap}, {"mmap64", mmap64},
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

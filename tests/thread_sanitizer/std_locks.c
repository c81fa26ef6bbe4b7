/* The sanitizer sees the fast paths of the standard library's locks, which are compiled into whoever uses them. Here
 * it is told of the slow ones, inside the library, that the linker sends through these functions (--wrap). */
#include <stdbool.h>
#include <stddef.h>

void __tsan_acquire(void *);
void __tsan_release(void *);

#define JOINED(a, b) a##b
#define JOIN(a, b) JOINED(a, b)
#define REAL(name) JOIN(__real_, name)
#define WRAP(name) JOIN(__wrap_, name)

/* Functions that wait until a lock is theirs. */
#define LOCKING(name) \
  __attribute__((weak)) void REAL(name)(void *); \
  void WRAP(name)(void *lock) { \
    REAL(name)(lock); \
    __tsan_acquire(lock); \
  }

LOCKING(MUTEX_LOCK)
LOCKING(READ_LOCK)
LOCKING(WRITE_LOCK)
LOCKING(ONCE_WAIT)

__attribute__((weak)) void REAL(CONDVAR_WAIT)(void *, void *);
void WRAP(CONDVAR_WAIT)(void *condvar, void *mutex) {
  __tsan_release(mutex);
  REAL(CONDVAR_WAIT)(condvar, mutex);
  __tsan_acquire(mutex);
}

/* `Once::call(&self, bool, &mut dyn FnMut(&OnceState))`: what the closure wrote is released when it ends, before the
 * library lets others see that it did. */
typedef struct {
  void (*drop)(void *);
  size_t size, align;
  void (*call_once)(void *, void *);
  void (*call_mut)(void *, void *);
} vtable;

typedef struct {
  void *once, *closure;
  const vtable *its_vtable;
} releasing;

static void call_and_release(void *it, void *state) {
  releasing *call = it;
  call->its_vtable->call_mut(call->closure, state);
  __tsan_release(call->once);
}

__attribute__((weak)) void REAL(ONCE_CALL)(void *, bool, void *, const vtable *);
void WRAP(ONCE_CALL)(void *once, bool ignore_poison, void *closure, const vtable *its_vtable) {
  static const vtable table = {NULL, sizeof(releasing), sizeof(void *), NULL, call_and_release};
  releasing call = {once, closure, its_vtable};
  REAL(ONCE_CALL)(once, ignore_poison, &call, &table);
  __tsan_acquire(once);
}

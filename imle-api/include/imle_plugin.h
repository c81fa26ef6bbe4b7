/* imle_plugin.h - the contract between imle and its solver plugins, ABI version 1.0.
 *
 * A plugin is a shared library that exports one function, imle_plugin_v1(), and offers one or more
 * solvers. A solver describes feasible sets C of vectors z and answers one question about them, for
 * rows of numbers theta:
 *
 *     which z in C maximises <z, theta> = z[0] * theta[0] + ... + z[dim-1] * theta[dim-1] ?
 *
 * The sense is always MAXIMISE. A minimiser negates theta inside the plugin.
 *
 * This file is all that a plugin needs, and it is normative: where a host or a plugin differs from it,
 * they are wrong. It compiles as C99, C11, C17, C++11, C++14, C++17 and C++20. A complete plugin in C is
 * tests/c/k_subset.c of the imle repository; authors in Rust use the crate imle-api instead, which
 * speaks this ABI for them.
 *
 * OBJECTS
 *
 *   imle_plugin     the library. Static.
 *   imle_solver     a kind of problem: a name and functions. Static.
 *   imle_instance   one feasible set C, made from a configuration. Immutable, shared by threads.
 *   imle_workspace  scratch memory for solving over one instance. One thread at a time.
 *
 * The order of calls: imle_plugin_v1() -> create() -> info() -> workspace_create() -> solve(), as often
 * as the host likes and with any number of instances and of workspaces at once -> workspace_destroy()
 * for every workspace of an instance -> destroy() for the instance.
 *
 * GROWTH  How either side can be newer than the other.
 *
 *   1. Every struct that both sides see begins with `uint32_t struct_size`: sizeof the struct as the
 *      side that allocated it was compiled. That side writes it; nobody else changes it.
 *   2. Within major version 1 a struct grows only at its end. No field is removed, moved or given
 *      another type or meaning.
 *   3. A reader demands the size of version 1.0, IMLE_*_SIZE_1_0, and never the size of its own
 *      struct. It looks at a field added later only if IMLE_HAS(pointer, type, field).
 *   4. Who fills in a struct that the other side allocated writes no byte behind its struct_size.
 *   5. Structs that grow are never put in arrays; arrays hold pointers to them.
 *   6. Absent, zero and null mean the same: the default that the field documents. Fields named
 *      `reserved` are written as zero and not read.
 *   7. Flags that describe (imle_info, imle_plugin): bits that the reader does not know are ignored.
 *      Flags that ask (imle_solve_arguments, imle_marginals_arguments): bits that the plugin does not
 *      know make the call fail with IMLE_E_UNSUPPORTED.
 *   8. Numbers with names, such as error codes, may gain values: a reader accepts values it does not
 *      know.
 *   9. A new verb comes as an extension table, asked for by its id; see imle_solver::extension. What
 *      breaks these rules is major version 2 and another exported symbol.
 *
 * MEMORY  Each side frees what it allocated, and only that.
 *
 *   - What an argument points to is borrowed for the call. A plugin keeps none of these pointers; not
 *     a sink either, and above all no pointer to the host in a global variable: several hosts in one
 *     process may share one copy of the library.
 *   - Text is UTF-8. The host copies what it is told during the call that tells it.
 *   - The strings and tables that a plugin points to are static: they are valid, and do not change,
 *     from the moment the host sees them until the process ends.
 *   - The arrays of one call do not overlap.
 *   - The library is never unloaded. It may keep threads, thread-local variables and exit handlers.
 *
 * THREADS  Each function carries a tag. No function may depend on which thread calls it: an object may
 * be made on one thread, used on a second and destroyed on a third.
 *
 *   [any]        from any thread, at the same time as anything else.
 *   [instance]   from many threads at once for the same instance, which does not change. A solver
 *                without hidden state satisfies this by doing nothing.
 *   [workspace]  the host makes one call at a time for a workspace; calls for other workspaces of the
 *                same instance run at the same time.
 *   [last]       no other call for this object is running, and none will follow.
 *
 * UNWINDING  No exception, panic or longjmp leaves a function of this ABI, in either direction. Authors
 * in C++ catch everything inside and declare every function `noexcept`.
 *
 * ERRORS  A function that can fail returns 0 or one of the IMLE_E_ codes and appends a sentence to the
 * sink `error`: what was wrong, with the value, and what to do. imle_fail() does both in one line. A
 * sentence without a code is ignored; a code without a sentence is legal and unkind. `error` may be null:
 * the host does not want the sentence. Hosts cut sentences that are longer than a few kilobytes.
 */
#ifndef IMLE_PLUGIN_H
#define IMLE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#if UINTPTR_MAX != 0xFFFFFFFFFFFFFFFFu
#error "The imle plugin ABI is defined for 64-bit targets."
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header. The major version is also part of the name of imle_plugin_v1(). */
#define IMLE_ABI_MAJOR 1u
#define IMLE_ABI_MINOR 0u

/* What makes imle_plugin_v1() visible; its declaration below has it already. Hide everything else, or two
 * plugins that bundle the same engine may see each other's: compile with -fvisibility=hidden, and link
 * static libraries with -Wl,--exclude-libs,ALL. */
#if defined(_WIN32)
#define IMLE_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define IMLE_EXPORT __attribute__((visibility("default")))
#else
#define IMLE_EXPORT
#endif

/* Does the struct of type T at p, which the other side allocated, have the field f? */
#define IMLE_HAS(p, T, f) ((p)->struct_size >= offsetof(T, f) + sizeof(((T *)0)->f))

/* ---- codes: what a call returns and what becomes of a row -------------------------------------------
 *
 * Zero is success and errors are positive. No function returns a negative number. A host that does not
 * know a code reports it, with its number and sentence, as a failure of the engine. */

#define IMLE_OK 0

/* Only as the status of a row, only from host to plugin: nobody has said yet what became of it. */
#define IMLE_UNSET (-1)

#define IMLE_E_INVALID_CONFIG 1   /* malformed, an unknown key, or describes no problem */
#define IMLE_E_INVALID_THETA 2    /* theta is outside the domain that info() declared */
#define IMLE_E_INVALID_INPUT 3    /* another argument is wrong */
#define IMLE_E_INFEASIBLE 4       /* C is empty */
#define IMLE_E_UNBOUNDED 5        /* <z, theta> can grow without bound over C */
#define IMLE_E_LIMIT_REACHED 6    /* a time or work limit came before the proof of optimality */
#define IMLE_E_STOPPED 7          /* the host raised the stop word */
#define IMLE_E_UNSUPPORTED 8      /* the plugin does not offer what was asked for */
#define IMLE_E_BACKEND_FAILED 9   /* the engine inside failed, or memory ran out */
#define IMLE_E_PANIC 10           /* a panic or exception was caught and the workspace may be broken */
#define IMLE_E_POISONED 11        /* the workspace is unusable after an earlier panic */
#define IMLE_E_ABI_MISMATCH 12    /* the other side does not follow this ABI */
#define IMLE_E_CONTRACT_BROKEN 13 /* used by hosts: a plugin did not do what it promised */
#define IMLE_E_NOT_FOUND 14       /* no such solver, plugin or item */
#define IMLE_E_IO 15              /* a file could not be read */

/* ---- text for the host --------------------------------------------------------------------------- */

/* The host's, made for one call. */
typedef struct imle_sink imle_sink;
struct imle_sink {
  uint32_t struct_size;
  uint32_t reserved;

  /* Appends `length` bytes of UTF-8 at `text`, which need not end with a NUL; copies them at once. Not
   * null. To be called on the thread, and during the call, that the sink was passed to. */
  void (*write)(imle_sink *sink, const char *text, uint64_t length);
};

/* ---- objects that only the plugin looks into --------------------------------------------------------
 *
 * A plugin defines `struct imle_instance` and `struct imle_workspace` as it likes, or converts pointers
 * to types of its own. */

typedef struct imle_instance imle_instance;
typedef struct imle_workspace imle_workspace;

/* ---- facts about an instance --------------------------------------------------------------------- */

/* Bit of imle_info::flags: every coordinate of a state is an integer. */
#define IMLE_INFO_INTEGRAL 1u

/* Value of imle_info::ones: the sum of a state is not the same for all. */
#define IMLE_ONES_VARY 0u

/* Values of imle_info::theta_domain: for which theta the solver is exact. */
#define IMLE_THETA_ANY 0u          /* every finite theta */
#define IMLE_THETA_NON_POSITIVE 1u /* no coordinate above zero: costs -theta that are not negative */

/* Allocated by the host, which writes struct_size and zeroes the rest; filled in by info(). The host
 * holds every state that solve() returns against these promises. */
typedef struct imle_info imle_info;
struct imle_info {
  uint32_t struct_size;
  uint32_t flags;        /* IMLE_INFO_ bits */
  uint64_t dim;          /* coordinates of theta and of a state; from 1 to 2^31 */
  uint64_t ones;         /* the sum of every state, if it is the same for all and not zero */
  double z_lower;        /* no coordinate of a state is below this; -infinity if none is known */
  double z_upper;        /* no coordinate of a state is above this; +infinity if none is known */
  uint32_t theta_domain; /* an IMLE_THETA_ value */
  uint32_t reserved;
};

/* ---- one batched solve ------------------------------------------------------------------------------
 *
 * Allocated by the host. Arrays are flat and row-major; row r of theta begins at theta + r * dim, with
 * dim from info(). Everything is borrowed for the call. */

typedef struct imle_solve_arguments imle_solve_arguments;
struct imle_solve_arguments {
  uint32_t struct_size;
  uint32_t flags; /* none is defined: zero */

  /* The number of rows. May be 0; the arrays may be null then. */
  uint64_t rows;

  /* [rows, dim], read only. Always finite: neither NaN nor infinite. */
  const double *theta;

  /* [rows, dim], to be written whole for every row whose status becomes IMLE_OK. Holds anything before
   * the call; what a failed row holds after it is ignored. Zeros are written out: states are dense. */
  double *z;

  /* [rows]: what became of each row: IMLE_OK or an IMLE_E_ code. The host writes IMLE_UNSET into every
   * row before the call, so a row that the plugin forgot shows. Set it last, when the other outputs of
   * the row stand. */
  int32_t *status;

  /* [rows], to be written for every solved row: <z, theta>. */
  double *objective;

  /* [rows] or null. A proven upper bound on <z', theta> over all z' in C. The host writes +infinity
   * before the call, which says that nothing is proven and is always a legal answer. */
  double *bound;

  /* [rows] or null. The radius of optimality: z is the UNIQUE maximiser for every theta' with
   * max over i of |theta'[i] - theta[i]| < radius. Not negative and not NaN; round it down. The host
   * writes 0 before the call, which says that nothing is proven and is always a legal answer. */
  double *radius;

  /* How many seconds this call may take, all rows together; 0 for no limit. A plugin that cannot keep it
   * exactly keeps it as well as its engine allows. Rows that it does not get to or cannot prove are
   * IMLE_E_LIMIT_REACHED. */
  double time_limit;

  /* Null, or a word that another thread makes non-zero when the call should stop soon. Rows that are not
   * solved by then are IMLE_E_STOPPED. Read it with imle_stop_raised(), between steps of the work. */
  const uint32_t *stop;

  /* Null, or takes a sentence about a row that failed, with `host` from below as its first argument.
   * Copies `length` bytes at once. To be called on the thread and during the call of solve(), at most
   * once a row. imle_fail_row() does it. */
  void (*row_message)(void *host, uint64_t row, const char *text, uint64_t length);
  void *host;
};

/* ---- a solver ------------------------------------------------------------------------------------ */

/* Static. Every function is required except where it says "or null". */
typedef struct imle_solver imle_solver;
struct imle_solver {
  uint32_t struct_size;
  uint32_t reserved;

  /* The name by which a configuration asks for this solver; not empty, unique within the library. */
  const char *name;

  /* One line for a listing, or null. */
  const char *summary;

  /* Null, or the name of a process-wide lock for an engine that is not re-entrant: among all solvers of
   * all plugins that name the same group, the host makes at most one call at a time. Two plugins that
   * bundle the same engine cannot arrange that between themselves. */
  const char *serial_group;

  /* [any] Or null. Writes the JSON Schema of the configuration to `schema`. */
  int32_t (*config_schema)(imle_sink *schema, imle_sink *error);

  /* [any] Builds an instance from a configuration: a JSON text of `length` bytes at `config`. It is
   * UTF-8 and valid only for the call; a NUL behind it is NOT guaranteed. Unknown keys are errors.
   * On success writes a pointer that is not null to `instance`; the host owes it one destroy(). On
   * failure leaves nothing behind: what it wrote to `instance` is ignored. */
  int32_t (*create)(const char *config, uint64_t length, imle_instance **instance, imle_sink *error);

  /* [last] Destroys an instance, after all its workspaces. Null is allowed and does nothing. */
  void (*destroy)(imle_instance *instance);

  /* [instance] Fills in facts about an instance. They are the same on every call. */
  int32_t (*info)(const imle_instance *instance, imle_info *info, imle_sink *error);

  /* [instance] Makes a workspace for this instance. On success writes a pointer that is not null to
   * `workspace`; the host owes it one workspace_destroy(), before the destroy() of the instance. A solver
   * without scratch memory writes the address of anything static. On failure leaves nothing behind. */
  int32_t (*workspace_create)(const imle_instance *instance, imle_workspace **workspace,
                              imle_sink *error);

  /* [last] Destroys a workspace, a poisoned one too. Null is allowed and does nothing. */
  void (*workspace_destroy)(imle_workspace *workspace);

  /* [instance] [workspace] Solves a batch with a workspace of this instance.
   *
   * THE LAW. The z of a solved row is a state of C; it maximises <z, theta> over C; and it depends on
   * nothing but the theta of that row: not on the other rows, their number or order, not on what this
   * workspace solved before, not on the thread. Ties between maximisers are broken by a rule that the
   * plugin documents, such as "the lower index". Caching and reproducibility rest on this.
   *
   * A row that cannot be solved is an error for that row and for no other: set its status to an IMLE_E_
   * code, explain it through row_message, go on with the next row, and return IMLE_OK at the end.
   *
   * If the call as a whole cannot go on, return an IMLE_E_ code and append a sentence to `error`:
   *   - rows whose status was set keep their outcome, solved or failed;
   *   - rows that are still IMLE_UNSET fail with the code and the sentence of the call;
   *   - except after IMLE_E_PANIC and IMLE_E_POISONED: then the host destroys this workspace and
   *     submits the unset rows again, with a fresh one. Set the status of the row that caused it before
   *     returning. The first row of the batch, if still unset, fails: every turn makes progress.
   * To return IMLE_OK with a row left IMLE_UNSET is a breach of contract and fails that row. */
  int32_t (*solve)(const imle_instance *instance, imle_workspace *workspace,
                   const imle_solve_arguments *arguments, imle_sink *error);

  /* [any] Or null. Returns the table of the extension `id`, a NUL-terminated string such as
   * "imle.something/1", or null for one that this solver does not have. A table is static and begins
   * with struct_size. One extension is defined: IMLE_EXTENSION_MARGINALS. */
  const void *(*extension)(const char *id);
};

/* ---- extension: exact marginals ---------------------------------------------------------------------
 *
 * For solvers that know the exponential family over C: a subset by dynamic programming, a spanning tree
 * by determinants, a path without cycles by sums over the graph. Each state counts once:
 *
 *     p(z; theta) = exp(<z, theta>) / (the sum over z' in C of exp(<z', theta>))
 *
 * A host that wants another temperature divides theta by it. */

#define IMLE_EXTENSION_MARGINALS "imle.marginals/1"

/* Allocated by the host. Arrays are flat and row-major, as in imle_solve_arguments; everything is borrowed
 * for the call. */
typedef struct imle_marginals_arguments imle_marginals_arguments;
struct imle_marginals_arguments {
  uint32_t struct_size;
  uint32_t flags; /* none is defined: zero */

  /* The number of rows. May be 0; the arrays may be null then. */
  uint64_t rows;

  /* [rows, dim], read only. Always finite, and so is the sum of the absolute values of each row: no sum
   * of some coordinates overflows. */
  const double *theta;

  /* [rows, dim], to be written whole for every row whose status becomes IMLE_OK: the marginals, the
   * expectation of z, which is the gradient of the log-partition. Holds anything before the call. */
  double *mu;

  /* [rows]: IMLE_OK or an IMLE_E_ code, as in imle_solve_arguments: IMLE_UNSET before the call, set
   * last. */
  int32_t *status;

  /* [rows], to be written for every row whose status becomes IMLE_OK: the log-partition, the natural
   * logarithm of the sum over z in C of exp(<z, theta>). Finite. */
  double *log_partition;

  /* As in imle_solve_arguments. */
  double time_limit;
  const uint32_t *stop;
  void (*row_message)(void *host, uint64_t row, const char *text, uint64_t length);
  void *host;
};

/* The table of IMLE_EXTENSION_MARGINALS. Static. */
typedef struct imle_marginals imle_marginals;
struct imle_marginals {
  uint32_t struct_size;
  uint32_t reserved;

  /* [instance] [workspace] Writes marginals and log-partitions of a batch. Not null. What it writes for a
   * row depends on nothing but the theta of that row, as THE LAW asks of solve(). The workspaces are those
   * of solve(), and rows that fail, calls that fail and panics are dealt with as there. An instance without
   * tractable marginals (a graph with cycles) fails the call, or every row of it, with
   * IMLE_E_UNSUPPORTED and a sentence. */
  int32_t (*marginals)(const imle_instance *instance, imle_workspace *workspace,
                       const imle_marginals_arguments *arguments, imle_sink *error);
};

/* ---- a library ----------------------------------------------------------------------------------- */

/* Bit of imle_plugin::flags: an error that other plugins catch at the boundary (a panic) ends the process
 * here. For Rust plugins built with panic = "abort". */
#define IMLE_PLUGIN_PANIC_ABORTS 1u

/* Static. */
typedef struct imle_plugin imle_plugin;
struct imle_plugin {
  uint32_t struct_size;
  uint32_t abi_minor; /* IMLE_ABI_MINOR; for messages, never for decisions */
  uint32_t flags;     /* IMLE_PLUGIN_ bits */
  uint32_t reserved;
  const char *name;      /* not empty */
  const char *version;   /* the plugin's own; "1.0.2" */
  const char *license;   /* an SPDX expression, or null */
  uint64_t solver_count; /* from 1 to 1024 */
  const imle_solver *const *solvers;
};

/* THE ONE EXPORTED SYMBOL. [any] Returns the description of the library, the same on every call. Null
 * refuses to be loaded: the reason is the sentence in `error`.
 *
 * `host_minor` is IMLE_ABI_MINOR as the host was compiled. The only use for it is to refuse a host that
 * lacks something the plugin cannot do without.
 *
 * Does no work: starts no thread, reads no file. It may be called to list what a library offers, more
 * than once, by several hosts in one process, and at the same time from several threads. */
IMLE_EXPORT const imle_plugin *imle_plugin_v1(uint32_t host_minor, imle_sink *error);

/* The name and the type of that function, for hosts. */
#define IMLE_ENTRY_SYMBOL "imle_plugin_v1"
typedef const imle_plugin *(*imle_entry)(uint32_t host_minor, imle_sink *error);

/* ---- the sizes of version 1.0 -----------------------------------------------------------------------
 *
 * What a reader may demand (GROWTH 3). They never change. */

#define IMLE_SINK_SIZE_1_0 16u
#define IMLE_INFO_SIZE_1_0 48u
#define IMLE_SOLVE_ARGUMENTS_SIZE_1_0 96u
#define IMLE_SOLVER_SIZE_1_0 96u
#define IMLE_PLUGIN_SIZE_1_0 56u
#define IMLE_MARGINALS_ARGUMENTS_SIZE_1_0 80u
#define IMLE_MARGINALS_SIZE_1_0 16u

/* ---- helpers: not part of the ABI, compiled into the plugin -------------------------------------- */

/* Appends a NUL-terminated text to a sink. Call it several times to put a sentence together. */
static inline void imle_write(imle_sink *sink, const char *text) {
  uint64_t length = 0;
  while (text[length] != '\0') {
    length++;
  }
  if (sink != NULL) {
    sink->write(sink, text, length);
  }
}

/* Fails with a sentence: return imle_fail(error, IMLE_E_INVALID_CONFIG, "k must be at least 1"); */
static inline int32_t imle_fail(imle_sink *error, int32_t code, const char *text) {
  imle_write(error, text);
  return code;
}

/* Fails one row of a batch with a sentence; the other rows go on. */
static inline void imle_fail_row(const imle_solve_arguments *arguments, uint64_t row, int32_t code,
                                 const char *text) {
  uint64_t length = 0;
  while (text[length] != '\0') {
    length++;
  }
  if (arguments->row_message != NULL) {
    arguments->row_message(arguments->host, row, text, length);
  }
  arguments->status[row] = code;
}

/* Says whether the host wants the call to stop: an atomic read of the stop word, cheap. */
static inline int imle_stop_raised(const imle_solve_arguments *arguments) {
  if (arguments->stop == NULL) {
    return 0;
  }
#if defined(__GNUC__)
  return __atomic_load_n(arguments->stop, __ATOMIC_ACQUIRE) != 0;
#else
  return *(const volatile uint32_t *)arguments->stop != 0;
#endif
}

#ifdef __cplusplus
}
#endif

#endif /* IMLE_PLUGIN_H */

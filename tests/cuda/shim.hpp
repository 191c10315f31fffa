// Runs CUDA C on a CPU: the built-ins that generated kernels use, one thread after another.
//
// A kernel whose threads never wait is called once for each thread. Where threads wait for each other, each is a
// context of its own that hands over at barriers and shuffles; a barrier that not all threads reach ends the program.
// Threads run in ascending or in descending order, as the caller says, so that one that reads what another should not
// have written yet is found out.
//
// usage: PROGRAM INPUT OUTPUT. Input, all numbers 8 bytes: the number of launches, and for each the kernel's number,
// thread blocks, threads, whether the order descends, the number of buffers, the bytes of each and its contents, the
// number of scalars and these. Output: the contents of all buffers, launch after launch. With SHIM_LIBRARY there is no
// program: `driver.cpp` then does the launching.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ucontext.h>
#include <vector>

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)

struct Place {
    unsigned int x = 0;
};
static Place threadIdx, blockIdx, blockDim, gridDim;

static inline float __uint_as_float(unsigned int bits) { float x; std::memcpy(&x, &bits, 4); return x; }
static inline unsigned int __float_as_uint(float x) { unsigned int bits; std::memcpy(&bits, &x, 4); return bits; }
static inline double __longlong_as_double(long long bits) { double x; std::memcpy(&x, &bits, 8); return x; }
static inline long long __double_as_longlong(double x) { long long bits; std::memcpy(&bits, &x, 8); return bits; }
static inline int __popc(unsigned int a) { return __builtin_popcount(a); }
static inline int __popcll(unsigned long long a) { return __builtin_popcountll(a); }
static inline unsigned int __umulhi(unsigned int a, unsigned int b)
{
    return (unsigned int)(((unsigned long long)a * b) >> 32);
}

namespace shim {

enum Wait { Running, AtWarp, AtBlock, Finished };

struct Fiber {
    ucontext_t context;
    std::vector<char> stack;
    Wait wait = Finished;
};

static std::vector<Fiber> fibers;
static ucontext_t scheduler;
static unsigned int current = 0;
static void (*body)(void **, const unsigned long long *);
static void **body_buffers;
static const unsigned long long *body_scalars;
static unsigned long long handed[1024];

static void hand_over(Wait wait)
{
    const unsigned int self = current;
    fibers[self].wait = wait;
    swapcontext(&fibers[self].context, &scheduler);
    threadIdx.x = self;
}

static void enter()
{
    body(body_buffers, body_scalars);
    fibers[current].wait = Finished;
    // The context's link goes back to the scheduler.
}

// Lets those go on of whom all wait at the same place; false where there are none.
static bool release(unsigned int threads)
{
    bool released = false;
    auto all = [&](unsigned int first, unsigned int end, Wait wait) {
        for (unsigned int t = first; t < end; ++t)
            if (fibers[t].wait != wait) return;
        for (unsigned int t = first; t < end; ++t) fibers[t].wait = Running;
        released = true;
    };
    for (unsigned int first = 0; first < threads; first += 32) all(first, first + 32, AtWarp);
    all(0, threads, AtBlock);
    return released;
}

static void run_block(unsigned int threads, bool descending)
{
    if (fibers.size() < threads) fibers.resize(threads);
    for (unsigned int t = 0; t < threads; ++t) {
        Fiber &fiber = fibers[t];
        fiber.stack.resize(256 * 1024);
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = fiber.stack.data();
        fiber.context.uc_stack.ss_size = fiber.stack.size();
        fiber.context.uc_link = &scheduler;
        makecontext(&fiber.context, enter, 0);
        fiber.wait = Running;
    }
    for (;;) {
        bool ran = false;
        for (unsigned int n = 0; n < threads; ++n) {
            current = descending ? threads - 1 - n : n;
            if (fibers[current].wait != Running) continue;
            ran = true;
            threadIdx.x = current;
            swapcontext(&scheduler, &fibers[current].context);
        }
        if (ran || release(threads)) continue;
        for (unsigned int t = 0; t < threads; ++t)
            if (fibers[t].wait != Finished) {
                std::fprintf(stderr, "thread %u waits for others that do not come\n", t);
                std::exit(3);
            }
        return;
    }
}

struct Entry {
    void (*call)(void **, const unsigned long long *);
    bool waits;
};

static void launch(const Entry &entry, unsigned int blocks, unsigned int threads, bool descending, void **buffers,
                   const unsigned long long *scalars)
{
    gridDim.x = blocks;
    blockDim.x = threads;
    body = entry.call;
    body_buffers = buffers;
    body_scalars = scalars;
    for (unsigned int n = 0; n < blocks; ++n) {
        blockIdx.x = descending ? blocks - 1 - n : n;
        if (entry.waits) {
            run_block(threads, descending);
            continue;
        }
        for (unsigned int t = 0; t < threads; ++t) {
            threadIdx.x = descending ? threads - 1 - t : t;
            entry.call(buffers, scalars);
        }
    }
}

// A kernel that takes so many pointers, and whatever stands behind them.
static unsigned int pointer_count;
static void *pointer_kernel;

static void call_pointers(void **a, const unsigned long long *)
{
    void *p[32] = {};
    for (unsigned int k = 0; k < pointer_count && k < 32; ++k) p[k] = a[k];
    // A function does not see arguments that it does not have.
    typedef void (*Any)(void *, void *, void *, void *, void *, void *, void *, void *, void *, void *, void *, void *,
                        void *, void *, void *, void *, void *, void *, void *, void *, void *, void *, void *, void *,
                        void *, void *, void *, void *, void *, void *, void *, void *);
    ((Any)pointer_kernel)(p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10], p[11], p[12], p[13], p[14],
                          p[15], p[16], p[17], p[18], p[19], p[20], p[21], p[22], p[23], p[24], p[25], p[26], p[27], p[28],
                          p[29], p[30], p[31]);
}

static inline void launch_any(void *kernel, unsigned int count, void **pointers, unsigned int blocks, unsigned int threads,
                              bool waits)
{
    pointer_kernel = kernel;
    pointer_count = count;
    launch(Entry{call_pointers, waits}, blocks, threads, false, pointers, nullptr);
}

}  // namespace shim

static inline void __syncthreads() { shim::hand_over(shim::AtBlock); }
static inline void __syncwarp() { shim::hand_over(shim::AtWarp); }

template <typename T>
static inline T __shfl_sync(unsigned int, T value, int from)
{
    const unsigned int self = threadIdx.x, lane = self % 32;
    std::memcpy(&shim::handed[self], &value, sizeof value);
    __syncwarp();
    std::memcpy(&value, &shim::handed[self - lane + (unsigned int)from], sizeof value);
    __syncwarp();
    return value;
}

template <typename T>
static inline T __shfl_down_sync(unsigned int mask, T value, unsigned int by)
{
    const unsigned int lane = threadIdx.x % 32;
    return __shfl_sync(mask, value, lane + by < 32 ? int(lane + by) : int(lane));
}

#ifndef SHIM_LIBRARY

extern const shim::Entry entries[];

static unsigned long long number(FILE *file)
{
    unsigned long long value = 0;
    if (std::fread(&value, 8, 1, file) != 1) std::exit(2);
    return value;
}

int main(int count, char **arguments)
{
    if (count != 3) return 2;
    FILE *input = std::fopen(arguments[1], "rb"), *output = std::fopen(arguments[2], "wb");
    if (!input || !output) return 2;
    for (unsigned long long left = number(input); left > 0; --left) {
        const shim::Entry &entry = entries[number(input)];
        const unsigned int blocks = (unsigned int)number(input), threads = (unsigned int)number(input);
        const bool descending = number(input) != 0;
        std::vector<void *> buffers(number(input));
        std::vector<unsigned long long> sizes;
        for (void *&buffer : buffers) {
            sizes.push_back(number(input));
            // Never empty, and no longer than asked for but for alignment.
            buffer = std::aligned_alloc(64, (sizes.back() + 64) / 64 * 64);
            if (sizes.back() && std::fread(buffer, sizes.back(), 1, input) != 1) return 2;
        }
        std::vector<unsigned long long> scalars(number(input));
        for (unsigned long long &scalar : scalars) scalar = number(input);
        shim::launch(entry, blocks, threads, descending, buffers.data(), scalars.data());
        for (size_t n = 0; n < buffers.size(); ++n) {
            if (sizes[n]) std::fwrite(buffers[n], sizes[n], 1, output);
            std::free(buffers[n]);
        }
    }
    return std::fclose(output) == 0 ? 0 : 2;
}

#endif

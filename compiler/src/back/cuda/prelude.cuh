// What every kernel of aplysia uses. Compile with --fmad=false: a product and a sum are rounded one after the other.
// Nothing is included; the text compiles with NVRTC, and on a CPU where the CUDA built-ins are defined.

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

// Whether an index has not reached the end of its range; indices are signed.
__device__ __forceinline__ bool before(u64 index, u64 end) { return i64(index) < i64(end); }

__device__ __forceinline__ u64 lesser(u64 a, u64 b) { return i64(b) < i64(a) ? b : a; }

// From real to whole: truncated, saturated, 0 for a NaN.
template <typename T>
__device__ __forceinline__ u32 to_i32(T x)
{
    return x >= T(2147483648.0) ? 0x7fffffffu : x < T(-2147483648.0) ? 0x80000000u : x == x ? u32(int(x)) : 0u;
}

template <typename T>
__device__ __forceinline__ u64 to_i64(T x)
{
    return x >= T(9223372036854775808.0)   ? 0x7fffffffffffffffull
           : x < T(-9223372036854775808.0) ? 0x8000000000000000ull
           : x == x                        ? u64(i64(x))
                                           : 0ull;
}

// A quotient. Division leaves its fast path where the dividend is zero, which most changes of weights are: then the
// divisor divides a power of two that overflows for no divisor but zero, and the product has the quotient's zero, or NaN.
__device__ __forceinline__ float quotient(float a, float b)
{
    const bool none = a == 0.0f;
    const float q = (none ? 0x1p-22f : a) / b;
    return none ? a * q : q;
}

__device__ __forceinline__ double quotient(double a, double b)
{
    const bool none = a == 0.0;
    const double q = (none ? 0x1p-52 : a) / b;
    return none ? a * q : q;
}

// V neighbours in memory as one access.
template <int V, typename T>
__device__ __forceinline__ void load_run(T (&to)[V], const T *from)
{
    struct alignas(sizeof(T) * V) Run { T at[V]; };
    const Run run = *reinterpret_cast<const Run *>(from);
#pragma unroll
    for (int v = 0; v < V; ++v) to[v] = run.at[v];
}

template <int V, typename T>
__device__ __forceinline__ void store_run(T *to, const T (&from)[V])
{
    struct alignas(sizeof(T) * V) Run { T at[V]; } run;
#pragma unroll
    for (int v = 0; v < V; ++v) run.at[v] = from[v];
    *reinterpret_cast<Run *>(to) = run;
}

// How the warps of a grid share `blocks` blocks: each block in `slots` parts of its rows and `strips` of its columns.
struct Share {
    u64 strips, slots, units, first, step;
};

__device__ __forceinline__ Share share_of(u64 blocks, u64 strips, u64 slots)
{
    const u64 warps = u64(gridDim.x) * (blockDim.x / 32);
    const u64 first = u64(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32;
    return Share{strips, slots, blocks * strips * slots, first, warps};
}

// How often `most` can be halved before it is at most `wanted`; 1 at the least.
__device__ __forceinline__ u64 parts(u64 wanted, u64 most)
{
    while (most > 1 && most > wanted) most = (most + 1) / 2;
    return most < 1 ? 1 : most;
}

// All strips, and rows in as many slots as there are warps to spare.
__device__ __forceinline__ Share share_strips(u64 blocks, u64 strips, u64 most_slots)
{
    const u64 warps = u64(gridDim.x) * (blockDim.x / 32);
    const u64 taken = blocks * strips;
    return share_of(blocks, strips, parts(taken == 0 ? 1 : warps / taken, most_slots));
}

// Rows in as many slots as there are warps, then as many strips as there are warps to spare.
__device__ __forceinline__ Share share_slots(u64 blocks, u64 most_strips, u64 most_slots)
{
    const u64 warps = u64(gridDim.x) * (blockDim.x / 32);
    const u64 slots = parts(blocks == 0 ? 1 : warps / blocks, most_slots);
    const u64 taken = blocks * slots;
    return share_of(blocks, parts(taken == 0 ? 1 : warps / taken, most_strips), slots);
}

struct Sum {
    template <typename T>
    static __device__ __forceinline__ T of(T a, T b) { return a + b; }
};

struct Min {
    template <typename T>
    static __device__ __forceinline__ T of(T a, T b) { return b < a ? b : a; }
};

struct Max {
    template <typename T>
    static __device__ __forceinline__ T of(T a, T b) { return b > a ? b : a; }
};

// Neighbours combined level by level, an odd last one passing: what waits at each level is one bit of the count.
template <typename Op, typename T>
struct Pairs {
    T waiting[56];
    u64 count = 0;

    __device__ __forceinline__ void push(T value)
    {
        int level = 0;
        for (u64 bits = count; bits & 1; bits >>= 1) value = Op::of(waiting[level++], value);
        waiting[level] = value;
        ++count;
    }

    __device__ __forceinline__ T result(T none) const
    {
        bool any = false;
        T value = none;
        for (int level = 0; level < 56 && (count >> level) != 0; ++level) {
            if (((count >> level) & 1) == 0) continue;
            value = any ? Op::of(waiting[level], value) : waiting[level];
            any = true;
        }
        return value;
    }
};

// 32 lanes in one thread, halved.
template <typename Op, typename T>
__device__ __forceinline__ T halve(T (&lanes)[32])
{
    for (int half = 16; half > 0; half /= 2)
        for (int at = 0; at < half; ++at) lanes[at] = Op::of(lanes[at], lanes[at + half]);
    return lanes[0];
}

// 32 lanes in the threads of a warp, halved; every thread gets the result.
template <typename Op, typename T>
__device__ __forceinline__ T halve_warp(T value)
{
    for (int half = 16; half > 0; half /= 2) value = Op::of(value, __shfl_down_sync(0xffffffffu, value, half));
    return __shfl_sync(0xffffffffu, value, 0);
}

// The first `count` of 32 neighbours in the threads of a warp, pairwise; every thread gets the result.
template <typename Op, typename T>
__device__ __forceinline__ T pair_warp(T value, u64 count)
{
    const u32 at = threadIdx.x & 31;
    for (u32 apart = 1; apart < 32; apart *= 2) {
        const T other = __shfl_down_sync(0xffffffffu, value, apart);
        if (at % (2 * apart) == 0 && at + apart < count) value = Op::of(value, other);
    }
    return __shfl_sync(0xffffffffu, value, 0);
}

// Puts in place what a step brings, and takes it away after the step.
//
// The inbox holds the messages of several steps. Its first word says where the message of the next step begins. A
// message: the place of the one after it; how many records are for the beginning of the step; the records, four words
// each: what is done, where, which part of the message, how many. Places are counted in words of 8 bytes.

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

enum What : u64 { WORDS = 0, NUMBERS = 1, SET = 2, CLEAR = 3 };

__device__ static void record(const u64 *message, const u64 *own)
{
    const u64 count = own[3];
    const u64 *words = message + own[2];
    const u32 *numbers = reinterpret_cast<const u32 *>(words);
    for (u64 k = threadIdx.x; k < count; k += blockDim.x) {
        switch (own[0]) {
        case WORDS: reinterpret_cast<u64 *>(own[1])[k] = words[k]; break;
        case NUMBERS: reinterpret_cast<u32 *>(own[1])[k] = numbers[k]; break;
        case SET: reinterpret_cast<u8 *>(own[1])[numbers[k]] = 1; break;
        case CLEAR: reinterpret_cast<u8 *>(own[1])[numbers[k]] = 0; break;
        }
    }
}

// A thread block for each record of the beginning.
extern "C" __global__ void deliver(const u64 *inbox)
{
    const u64 *message = inbox + inbox[0];
    record(message, message + 2 + 4 * u64(blockIdx.x));
}

// A thread block for each record of the end.
extern "C" __global__ void collect(const u64 *inbox)
{
    const u64 *message = inbox + inbox[0];
    record(message, message + 2 + 4 * (message[1] + blockIdx.x));
}

// One thread: the next message's turn.
extern "C" __global__ void turn(u64 *inbox)
{
    inbox[0] = inbox[inbox[0]];
}

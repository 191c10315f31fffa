"""The pair STDP update of a dense matrix as people write it for a GPU: torch eager, torch.compile, and Triton by hand.

usage: peers.py [SIZE …]

All compute the same step: traces decay, spikes are added, every weight gets its change and is clipped to 0 .. 1. Times
are of one step on the GPU, the best of some rounds; bytes are those of reading and writing the weights once, against a
copy inside the memory measured in the same run.
"""

import sys

import torch

DECAY, A_PLUS, A_MINUS, ROUNDS, STEPS = 0.951, 0.01, 0.012, 5, 20


def eager(w, x, y, pre, post):
    x.mul_(DECAY).add_(pre)
    y.mul_(DECAY)
    w.sub_(A_MINUS * torch.outer(pre, y))
    w.add_(A_PLUS * torch.outer(x, post))
    w.clamp_(0.0, 1.0)
    y.add_(post)


def fused(w, x, y, pre, post):
    x = x * DECAY + pre
    y = y * DECAY
    w = (w - A_MINUS * pre[:, None] * y[None, :] + A_PLUS * x[:, None] * post[None, :]).clamp(0.0, 1.0)
    return w, x, y + post


def triton_step():
    import triton
    import triton.language as tl

    @triton.jit
    def kernel(w, x, y, pre, post, columns, plus, minus, BLOCK: tl.constexpr):
        row = tl.program_id(0).to(tl.int64)
        column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
        inside = column < columns
        at = w + row * columns + column
        value = tl.load(at, mask=inside)
        change = plus * tl.load(x + row) * tl.load(post + column, mask=inside)
        change -= minus * tl.load(pre + row) * tl.load(y + column, mask=inside)
        value = tl.minimum(tl.maximum(value + change, 0.0), 1.0)
        tl.store(at, value, mask=inside)

    def step(w, x, y, pre, post):
        x.mul_(DECAY).add_(pre)
        y.mul_(DECAY)
        rows, columns = w.shape
        kernel[(rows, triton.cdiv(columns, 1024))](w, x, y, pre, post, columns, A_PLUS, A_MINUS, BLOCK=1024)
        y.add_(post)

    return step


def best(step):
    for _ in range(3):
        step()
    times = []
    for _ in range(ROUNDS):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        for _ in range(STEPS):
            step()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end) / STEPS)
    return min(times)


def measure(size, copy):
    torch.manual_seed(1)
    state = {name: torch.rand(size, device="cuda") for name in ("x", "y")}
    spikes = {name: (torch.rand(size, device="cuda") < 0.02).float() for name in ("pre", "post")}
    w = torch.rand(size, size, device="cuda")
    arguments = (w, state["x"], state["y"], spikes["pre"], spikes["post"])

    def report(name, step):
        try:
            time = best(step)
        except Exception as error:  # a peer that cannot run here is a line, not the end
            print(f"{name:<16} {size:>6}   does not run: {str(error).splitlines()[0][:80]}")
            return
        rate = 2 * 4 * size * size / (time / 1000)
        print(f"{name:<16} {size:>6} {1000 * time:>12.1f} {rate / 1e9:>10.0f} {100 * rate / copy:>8.0f} %")

    report("torch eager", lambda: eager(*arguments))
    compiled = torch.compile(fused)
    report("torch.compile", lambda: compiled(*arguments))
    try:
        step = triton_step()
        report("Triton", lambda: step(*arguments))
    except ImportError:
        print("Triton is not installed")


def main():
    sizes = [int(size) for size in sys.argv[1:]] or [4096, 16384, 32768]
    a = torch.empty(1 << 29, device="cuda")
    b = torch.empty_like(a)
    copy = 2 * 4 * a.numel() / (best(lambda: b.copy_(a)) / 1000)
    del a, b
    print(f"torch {torch.__version__} on {torch.cuda.get_device_name()}; copy {copy / 1e9:.0f} GB/s")
    print(f"{'peer':<16} {'size':>6} {'µs a step':>12} {'GB/s':>10} {'of copy':>10}")
    for size in sizes:
        measure(size, copy)


if __name__ == "__main__":
    main()

// A CUDA driver and NVRTC that are a C++ compiler and the CPU: enough of both for aplysia's runtime to be tried without a
// GPU. Everything is done at once and in the order of the calls; a graph is the list of what was captured.
//
// A module is a shared library that the C++ compiler has made of the CUDA C with `shim.hpp`; its path, with the number of
// arguments of each kernel, is what passes for PTX. SHIM_FOLDER says where `shim.hpp` lies and libraries go.

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

typedef int Status;
enum { Success = 0, Invalid = 1, NoMemory = 2, NotFound = 500 };

struct Function {
    void *address;
    unsigned int arguments;
    bool waits;
    void (*launch)(void *, unsigned int, void **, unsigned int, unsigned int, bool);
};

struct Module {
    void *library = nullptr;
    std::map<std::string, Function> functions;
};

typedef std::vector<std::function<void()>> Graph;

Graph *captured = nullptr;

// Does something now, or when the graph that is being captured is launched.
Status act(std::function<void()> what)
{
    if (captured)
        captured->push_back(std::move(what));
    else
        what();
    return Success;
}

std::string folder()
{
    const char *name = std::getenv("SHIM_FOLDER");
    return name ? name : ".";
}

struct Program {
    std::string text, image, log;
};

// The kernels of a text: name, number of arguments, whether threads wait for each other.
std::string table(const std::string &text)
{
    std::ostringstream out;
    // The prelude, whose helpers do wait, ends before the first kernel's inner function.
    const size_t prelude = text.find("// Threads are free"), warp = text.find("// A warp for each"), block = text.find("// A thread block for");
    size_t after = std::min(std::min(prelude, warp), std::min(block, text.size()));
    for (size_t at = 0; (at = text.find("extern \"C\" __global__", at)) != std::string::npos;) {
        const size_t open = text.find('(', text.find("void", at) + 4);
        // Launch bounds have parentheses of their own.
        const size_t bounds = text.find("__launch_bounds__", at);
        const size_t begin = bounds != std::string::npos && bounds < open ? text.find('(', text.find(')', bounds)) : open;
        const size_t end = text.find(')', begin);
        size_t first = begin;
        while (first > 0 && (std::isalnum((unsigned char)text[first - 1]) || text[first - 1] == '_')) --first;
        unsigned int arguments = 1;
        for (size_t k = begin; k < end; ++k) arguments += text[k] == ',';
        // An inner function stands before its kernel, whose own body ends at the next brace without an indent.
        const size_t close = text.find("\n}", end);
        const std::string own = text.substr(after, close - after);
        const bool waits = own.find("__sync") != std::string::npos || own.find("_warp<") != std::string::npos ||
                           own.find("__shfl") != std::string::npos;
        out << text.substr(first, begin - first) << ' ' << arguments << ' ' << waits << '\n';
        after = close;
        at = end;
    }
    return out.str();
}

}  // namespace

extern "C" {

Status nvrtcVersion(int *major, int *minor) { return *major = 0, *minor = 0, Success; }

Status nvrtcCreateProgram(Program **program, const char *text, const char *, int, const char *const *,
                          const char *const *)
{
    *program = new Program{text, "", ""};
    return Success;
}

Status nvrtcCompileProgram(Program *program, int, const char *const *)
{
    static int number = 0;
    std::ostringstream base;
    base << folder() << "/module_" << getpid() << '_' << number++;
    const std::string name = base.str();
    std::ofstream(name + ".cpp") << "#define SHIM_LIBRARY\n#include \"shim.hpp\"\n"
                                 << program->text
                                 << "\nextern \"C\" void shim_launch(void *f, unsigned int count, void **a, unsigned int grid,"
                                    " unsigned int threads, bool waits) { shim::launch_any(f, count, a, grid, threads, waits); }\n";
    const std::string command = "c++ -std=c++20 -O1 -ffp-contract=off -w -shared -fPIC -I '" + folder() + "' -o '" + name +
                                ".so' '" + name + ".cpp' 2> '" + name + ".log'";
    const int rc = std::system(command.c_str());
    std::ifstream log(name + ".log");
    program->log.assign(std::istreambuf_iterator<char>(log), {});
    if (rc != 0) return 6;
    program->image = name + ".so\n" + table(program->text);
    return Success;
}

Status nvrtcDestroyProgram(Program **program) { return delete *program, *program = nullptr, Success; }
Status nvrtcGetPTXSize(Program *program, size_t *size) { return *size = program->image.size() + 1, Success; }
Status nvrtcGetPTX(Program *program, char *to) { return std::strcpy(to, program->image.c_str()), Success; }
Status nvrtcGetCUBINSize(Program *program, size_t *size) { return *size = program->image.size() + 1, Success; }
Status nvrtcGetCUBIN(Program *program, char *to) { return std::strcpy(to, program->image.c_str()), Success; }
Status nvrtcGetProgramLogSize(Program *program, size_t *size) { return *size = program->log.size() + 1, Success; }
Status nvrtcGetProgramLog(Program *program, char *to) { return std::strcpy(to, program->log.c_str()), Success; }

Status cuInit(unsigned int) { return Success; }
Status cuDeviceGetCount(int *count) { return *count = 1, Success; }
Status cuDeviceGet(int *device, int ordinal) { return *device = ordinal, ordinal == 0 ? Success : 101; }
Status cuDeviceGetName(char *name, int length, int) { return std::strncpy(name, "CPU", length), Success; }
Status cuDeviceTotalMem_v2(size_t *bytes, int) { return *bytes = size_t(1) << 34, Success; }
Status cuDeviceGetAttribute(int *value, int attribute, int)
{
    // Compute capability, multiprocessors, threads of one.
    *value = attribute == 75 ? 8 : attribute == 16 ? 2 : attribute == 39 ? 256 : 0;
    return Success;
}
Status cuDevicePrimaryCtxRetain(void **context, int) { return *context = (void *)1, Success; }
Status cuDevicePrimaryCtxRelease_v2(int) { return Success; }
Status cuCtxSetCurrent(void *) { return Success; }
Status cuGetErrorString(int, const char **text) { return *text = "an error of the CPU", Success; }
Status cuGetErrorName(int, const char **text) { return *text = "CPU_ERROR", Success; }

Status cuStreamCreate(void **stream, unsigned int) { return *stream = std::malloc(1), Success; }
Status cuStreamSynchronize(void *) { return captured ? 900 : Success; }
Status cuStreamDestroy_v2(void *stream) { return std::free(stream), Success; }
Status cuStreamWaitEvent(void *, void *, unsigned int) { return Success; }
Status cuStreamBeginCapture_v2(void *, int)
{
    if (captured) return 900;
    captured = new Graph;
    return Success;
}
Status cuStreamEndCapture(void *, Graph **graph)
{
    *graph = captured;
    captured = nullptr;
    return *graph ? Success : 901;
}
Status cuGraphInstantiateWithFlags(Graph **ready, Graph *graph, unsigned long long)
{
    *ready = new Graph(*graph);
    return Success;
}
Status cuGraphDestroy(Graph *graph) { return delete graph, Success; }
Status cuGraphExecDestroy(Graph *graph) { return delete graph, Success; }
Status cuGraphLaunch(Graph *graph, void *)
{
    for (const std::function<void()> &what : *graph) what();
    return Success;
}

Status cuEventCreate(void **event, unsigned int) { return *event = std::malloc(1), Success; }
Status cuEventRecord(void *, void *) { return Success; }
Status cuEventSynchronize(void *) { return Success; }
Status cuEventElapsedTime(float *ms, void *, void *) { return *ms = 1, Success; }
Status cuEventElapsedTime_v2(float *ms, void *, void *) { return *ms = 1, Success; }
Status cuEventDestroy_v2(void *event) { return std::free(event), Success; }

Status cuMemAlloc_v2(void **pointer, size_t bytes)
{
    if (captured) return 900;
    if (bytes > size_t(1) << 33) return NoMemory;
    *pointer = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
    // Whoever reads what nobody has written sees something that is not 0.
    if (*pointer) std::memset(*pointer, 0xab, bytes);
    return *pointer ? Success : NoMemory;
}
Status cuMemFree_v2(void *pointer) { return std::free(pointer), Success; }
Status cuMemHostAlloc(void **pointer, size_t bytes, unsigned int) { return cuMemAlloc_v2(pointer, bytes); }
Status cuMemFreeHost(void *pointer) { return std::free(pointer), Success; }
Status cuMemsetD8Async(void *pointer, unsigned char value, size_t count, void *)
{
    return act([=] { std::memset(pointer, value, count); });
}
Status cuMemcpyHtoDAsync_v2(void *to, const void *from, size_t count, void *)
{
    return captured ? 900 : (std::memcpy(to, from, count), Success);
}
Status cuMemcpyDtoHAsync_v2(void *to, const void *from, size_t count, void *)
{
    return captured ? 900 : (std::memcpy(to, from, count), Success);
}
Status cuMemcpyDtoDAsync_v2(void *to, const void *from, size_t count, void *)
{
    return act([=] { std::memcpy(to, from, count); });
}

Status cuModuleLoadData(Module **module, const char *image)
{
    std::istringstream text(image);
    std::string path;
    std::getline(text, path);
    Module made;
    made.library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!made.library) return Invalid;
    const auto launch = (void (*)(void *, unsigned int, void **, unsigned int, unsigned int, bool))dlsym(made.library, "shim_launch");
    std::string name;
    for (unsigned int arguments, waits; text >> name >> arguments >> waits;)
        made.functions[name] = Function{dlsym(made.library, name.c_str()), arguments, waits != 0, launch};
    *module = new Module(made);
    return Success;
}
Status cuModuleGetFunction(Function **function, Module *module, const char *name)
{
    const auto found = module->functions.find(name);
    if (found == module->functions.end() || !found->second.address) return NotFound;
    *function = &found->second;
    return Success;
}
Status cuModuleUnload(Module *module)
{
    dlclose(module->library);
    return delete module, Success;
}
Status cuLaunchKernel(Function *function, unsigned int grid, unsigned int, unsigned int, unsigned int threads, unsigned int,
                      unsigned int, unsigned int, void *, void **parameters, void **)
{
    if (grid == 0 || threads == 0 || threads > 1024) return Invalid;
    std::vector<void *> arguments;
    for (unsigned int k = 0; k < function->arguments; ++k) arguments.push_back(*(void **)parameters[k]);
    // A few thread blocks and threads do: any number gives the same.
    const unsigned int blocks = grid < 3 ? grid : 3, own = function->waits || grid > 3 ? 64 : threads;
    // What a thread block does for one record is not shared among thread blocks.
    const bool exact = function->arguments == 1;
    const Function copy = *function;
    return act([=]() mutable {
        copy.launch(copy.address, (unsigned int)arguments.size(), arguments.data(), exact ? grid : blocks,
                    exact ? threads : own, copy.waits);
    });
}

}  // extern "C"

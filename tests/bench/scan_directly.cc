// scan_directly DIRECTORY TIMES FILE - libclamav alone: loads the signatures of a directory and scans a file
// from memory so many times, with the options of postern-antivirus. Prints the bytes and the CPU milliseconds
// of one scan.
//
// Nothing of Postern is in it, for it is what Postern is measured against.

#include <clamav.h>
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

namespace {

struct FreeEngine {
  void operator()(cl_engine* engine) const { cl_engine_free(engine); }
};
struct CloseMap {
  void operator()(cl_fmap_t* map) const { cl_fmap_close(map); }
};
struct CloseFile {
  void operator()(FILE* file) const { (void)std::fclose(file); }
};

int fail(const char* what) {
  (void)std::fprintf(stderr, "scan_directly: %s\n", what);
  return 1;
}

double cpu_milliseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

bool read_file(const char* path, std::string& bytes) {
  const std::unique_ptr<FILE, CloseFile> file{std::fopen(path, "rb")};
  if (!file) return false;
  char buffer[65536];
  for (size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, file.get())) > 0;)
    bytes.append(buffer, got);
  return std::ferror(file.get()) == 0;
}

bool scan(const cl_engine* engine, const std::string& bytes) {
  const std::unique_ptr<cl_fmap_t, CloseMap> map{cl_fmap_open_memory(bytes.data(), bytes.size())};
  if (!map) return false;
  cl_scan_options options{};
  options.general = CL_SCAN_GENERAL_HEURISTICS;
  options.parse = ~0U;
  options.heuristic = CL_SCAN_HEURISTIC_EXCEEDS_MAX;
  const char* name = nullptr;
  unsigned long scanned = 0;
  return cl_scanmap_callback(map.get(), nullptr, &name, &scanned, engine, &options, nullptr) == CL_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return fail("usage: scan_directly DIRECTORY TIMES FILE");
  if (cl_init(CL_INIT_DEFAULT) != CL_SUCCESS) return fail("libclamav does not start");
  const std::unique_ptr<cl_engine, FreeEngine> engine{cl_engine_new()};
  unsigned signatures = 0;
  if (!engine || cl_load(argv[1], engine.get(), &signatures, CL_DB_STDOPT) != CL_SUCCESS || signatures == 0)
    return fail("the signatures cannot be loaded");
  // Where postern-antivirus unpacks, too: on a disk each mail takes twice the time.
  if (const char* scratch = std::getenv("TMPDIR"); scratch != nullptr)
    cl_engine_set_str(engine.get(), CL_ENGINE_TMPDIR, scratch);
  // The same file again and again would be answered from the cache of clean files.
  cl_engine_set_num(engine.get(), CL_ENGINE_DISABLE_CACHE, 1);
  if (cl_engine_compile(engine.get()) != CL_SUCCESS) return fail("the signatures cannot be compiled");
  std::string bytes;
  if (!read_file(argv[3], bytes) || bytes.empty()) return fail("the file cannot be read");
  const int times = std::atoi(argv[2]);
  if (times < 1) return fail("TIMES is a number above 0");
  if (!scan(engine.get(), bytes)) return fail("the file is not clean");
  const double begun = cpu_milliseconds();
  for (int i = 0; i < times; ++i) {
    if (!scan(engine.get(), bytes)) return fail("a scan failed");
  }
  std::printf("%zu bytes, ms CPU: %.4f\n", bytes.size(), (cpu_milliseconds() - begun) / times);
  return 0;
}

#include "scanq/antivirus_engine.h"

#include <clamav.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "lib/control.h"
#include "lib/fd.h"
#include "lib/text.h"
#include "scanq/antivirus_scratch.h"

namespace postern {

namespace {

constexpr std::string_view kDefaultDirectory = "/var/lib/clamav";
constexpr uint64_t kMaxScanBytes = 400ULL * 1024 * 1024;
constexpr uint64_t kMaxFileBytes = 100ULL * 1024 * 1024;
constexpr uint64_t kMaxSeconds = 120;  // must stay below the deadline of a request
constexpr uint64_t kCheckSeconds = 60;

// The EICAR file in two halves, so that no scanner finds it in this source or in the program.
constexpr std::string_view kEicarHead = "X5O!P%@AP[4\\PZX54(P^)7CC)7}";
constexpr std::string_view kEicarTail = "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";
constexpr std::string_view kEicarName = "Eicar-Test-Signature";
constexpr std::string_view kUnofficial = ".UNOFFICIAL";  // libclamav's suffix for what is not from its makers
// libclamav's "virus" for a file that it gave up on (CL_SCAN_HEURISTIC_EXCEEDS_MAX). Without it such a file
// is "clean".
constexpr std::string_view kGaveUp = "Heuristics.Limits.Exceeded";

constexpr std::string_view kIgnoredRemedy =
    "look for an .ign or .ign2 file beside the signatures that names it";

std::string eicar() {
  return std::string(kEicarHead).append(kEicarTail);
}

// What libclamav complained of last: its return codes alone do not name the file or the line.
std::string& last_complaint() {
  static std::string text;
  return text;
}
void note_complaint(cl_msg severity, const char*, const char* message, void*) {
  if (severity >= CL_MSG_WARN) last_complaint() = printable(trim(message), 300);
}

std::string explain(cl_error_t code) {
  std::string text = cl_strerror(code);
  if (!last_complaint().empty()) text.append(" (").append(last_complaint()).append(")");
  return text;
}

Result<void> start_libclamav() {
  static bool started = false;
  if (started) return {};
  cl_set_clcb_msg(note_complaint);
  if (const cl_error_t code = cl_init(CL_INIT_DEFAULT); code != CL_SUCCESS) {
    return temporary("libclamav does not start: " + explain(code));
  }
  started = true;
  return {};
}

std::string with_remedy(std::string why, const EngineSettings& settings) {
  return std::move(why) + "; put signatures into " + settings.directory +
         " (freshclam does), or name another directory in " + home_path("control/clamdb");
}

Result<void> set_number(cl_engine* engine, cl_engine_field field, uint64_t value) {
  const cl_error_t code = cl_engine_set_num(engine, field, static_cast<long long>(value));
  if (code != CL_SUCCESS) return temporary("set a limit of the engine: " + explain(code));
  return {};
}

struct CloseMap {
  void operator()(cl_fmap_t* map) const { cl_fmap_close(map); }
};

}  // namespace

Result<EngineSettings> read_engine_settings() {
  EngineSettings settings;
  Result<std::string> directory = control_line_or("clamdb", kDefaultDirectory);
  if (!directory) return directory.failure();
  settings.directory = std::move(*directory);
  struct Row {
    const char* name;
    uint64_t otherwise;
    uint64_t& into;
  };
  const std::array rows = {Row{"avmaxscansize", kMaxScanBytes, settings.max_scan_bytes},
                           Row{"avmaxfilesize", kMaxFileBytes, settings.max_file_bytes},
                           Row{"avmaxscantime", kMaxSeconds, settings.max_seconds},
                           Row{"avcheck", kCheckSeconds, settings.check_seconds}};
  for (const Row& row : rows) {
    Result<uint64_t> number = control_number_or(row.name, row.otherwise);
    if (!number) return number.failure();
    // 0 means "no limit" to libclamav, and would be a deadline that never comes here.
    row.into = *number == 0 ? row.otherwise : *number;
  }
  return settings;
}

uint64_t signature_fingerprint(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> opened{::opendir(directory.c_str()), ::closedir};
  if (!opened) return 0;
  std::vector<std::string> files;
  while (const dirent* entry = ::readdir(opened.get())) {
    struct stat status {};
    if (entry->d_name[0] == '.' || ::fstatat(::dirfd(opened.get()), entry->d_name, &status, 0) < 0) continue;
    std::string file(entry->d_name);
    for (const auto number :
         {static_cast<uint64_t>(status.st_size), static_cast<uint64_t>(status.st_ino),
          static_cast<uint64_t>(status.st_mtim.tv_sec), static_cast<uint64_t>(status.st_mtim.tv_nsec)}) {
      file.append("/").append(std::to_string(number));
    }
    files.push_back(std::move(file));
  }
  std::sort(files.begin(), files.end());
  std::string all = directory;
  for (const std::string& file : files) all.append("\n").append(file);
  return XXH3_64bits(all.data(), all.size());
}

void Engine::Free::operator()(cl_engine* engine) const {
  cl_engine_free(engine);
}

Result<Engine> Engine::load(const EngineSettings& settings) {
  if (Result<void> started = start_libclamav(); !started) return started.failure();
  last_complaint().clear();
  Result<Scratch> scratch = Scratch::make();
  if (!scratch) return scratch.failure();
  Engine fresh;
  fresh.engine_.reset(cl_engine_new());
  if (!fresh.engine_) return temporary("libclamav has no memory for an engine");
  cl_engine* engine = fresh.engine_.get();
  fresh.use_scratch(scratch->path());
  for (const auto& [field, value] : {std::pair{CL_ENGINE_MAX_SCANSIZE, settings.max_scan_bytes},
                                     std::pair{CL_ENGINE_MAX_FILESIZE, settings.max_file_bytes},
                                     std::pair{CL_ENGINE_MAX_SCANTIME, settings.max_seconds * 1000},
                                     // It knows files by their MD5: whoever has a clean file with the MD5 of
                                     // an infected one would get the latter through.
                                     std::pair{CL_ENGINE_DISABLE_CACHE, uint64_t{1}}}) {
    if (Result<void> set = set_number(engine, field, value); !set) return set.failure();
  }
  const cl_error_t loaded = cl_load(settings.directory.c_str(), engine, &fresh.signatures_, CL_DB_STDOPT);
  if (loaded != CL_SUCCESS) return temporary(with_remedy(explain(loaded), settings));
  if (fresh.signatures_ == 0) return temporary(with_remedy("there is not one in it", settings));
  if (Result<void> added = fresh.add_eicar(scratch->path()); !added) return added.failure();
  if (const cl_error_t compiled = cl_engine_compile(engine); compiled != CL_SUCCESS) {
    return temporary(with_remedy("compile: " + explain(compiled), settings));
  }
  if (Result<void> tested = fresh.test_itself(); !tested) return tested.failure();
  return fresh;
}

// libclamav takes signatures from named files only.
Result<void> Engine::add_eicar(const std::string& scratch) {
  const std::string path = scratch + "/postern.ndb";
  const Fd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!file) return os_failure("create " + path, errno);
  const std::string line = std::string(kEicarName) + ":0:0:" + hexadecimal(eicar()) + "\n";
  if (Result<void> wrote = write_all(file.get(), line, "write " + path); !wrote) return wrote;
  unsigned ours = 0;
  const cl_error_t loaded = cl_load(path.c_str(), engine_.get(), &ours, CL_DB_STDOPT);
  if (loaded != CL_SUCCESS) return temporary("add the EICAR signature: " + explain(loaded));
  if (ours != 1) return temporary("add the EICAR signature: it was left out; " + std::string(kIgnoredRemedy));
  return {};
}

Result<void> Engine::test_itself() const {
  const ScanResult result = scan(eicar());
  if (result.finding == Finding::infected) return {};
  return temporary("the engine does not find the EICAR test file in its self-test" +
                   (result.what.empty() ? std::string() : ": " + result.what) + "; " +
                   std::string(kIgnoredRemedy));
}

void Engine::use_scratch(const std::string& directory) {
  cl_engine_set_str(engine_.get(), CL_ENGINE_TMPDIR, directory.c_str());
}

ScanResult Engine::scan(std::string_view bytes) const {
  if (bytes.empty()) return {};
  const std::unique_ptr<cl_fmap_t, CloseMap> map{cl_fmap_open_memory(bytes.data(), bytes.size())};
  if (!map) return {Finding::unscannable, "no memory to look at " + std::to_string(bytes.size()) + " bytes"};
  cl_scan_options options{};
  options.general = CL_SCAN_GENERAL_HEURISTICS;
  options.parse = ~0U;
  options.heuristic = CL_SCAN_HEURISTIC_EXCEEDS_MAX;
  const char* name = nullptr;
  unsigned long scanned = 0;
  last_complaint().clear();
  const cl_error_t code =
      cl_scanmap_callback(map.get(), nullptr, &name, &scanned, engine_.get(), &options, nullptr);
  if (code == CL_SUCCESS) return {};
  if (code != CL_VIRUS) return {Finding::unscannable, explain(code)};
  // What is too large as a whole is answered so, without a name.
  if (name == nullptr) return {Finding::unscannable, "over a limit of the engine (avmaxfilesize)"};
  std::string_view virus = name;
  if (virus.starts_with(kGaveUp))
    return {Finding::unscannable, "over a limit of the engine (" + printable(virus, 100) + ")"};
  if (virus.starts_with(kEicarName) && virus.substr(kEicarName.size()) == kUnofficial) virus = kEicarName;
  return {Finding::infected, printable(virus, 200)};
}

uint64_t Engine::database_version() const {
  int error = 0;
  const long long version = cl_engine_get_num(engine_.get(), CL_ENGINE_DB_VERSION, &error);
  return version < 0 ? 0 : static_cast<uint64_t>(version);
}

}  // namespace postern

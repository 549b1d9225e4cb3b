#include "ldapq/service.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "lib/control.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kPasswordLimitBytes = 1024;
constexpr int kYes = 0;
constexpr int kNo = 1;
constexpr int kWrong = 100;
constexpr int kTrouble = 111;

Result<std::string> read_password(const std::string& name) {
  const std::string path = home_path("secrets/posternx/" + name);
  const Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd) return os_failure("read the password " + path, errno, 55);
  struct stat status {};
  if (::fstat(fd.get(), &status) < 0) return os_failure("read the password " + path, errno, 55);
  if ((status.st_mode & 077) != 0)
    return temporary("read the password " + path + ": others may read it; chmod 600 it, and set a new one",
                     55);
  Result<std::string> text = read_to_end(fd.get(), kPasswordLimitBytes, "read the password " + path);
  if (!text) return temporary(text.failure().text, 55);
  std::string password = text->substr(0, text->find('\n'));
  if (password.empty()) return temporary("read the password " + path + ": its first line is empty", 55);
  return password;
}

std::string stamp_of(std::string_view text) {
  const uint64_t hash = XXH3_64bits(text.data(), text.size());
  return hexadecimal({reinterpret_cast<const char*>(&hash), sizeof hash});
}

void append_lines(const std::vector<std::string>& lines, std::string& output) {
  for (const std::string& line : lines) {
    if (output.size() + line.size() < kReplyLimitBytes) output.append(line).append("\n");
  }
}

// The exit code, and the reason where there is one to give: for trouble first what is to become of the mail.
int conclude(const LdapAnswer& answer, bool gives_lines, std::string& output) {
  if (answer.kind == LdapAnswer::Kind::trouble) {
    output = answer.away + "\t" + answer.why + "\n";
    return kTrouble;
  }
  if (gives_lines) {
    append_lines(answer.lines, output);
  } else {
    append_lines({answer.why}, output);
  }
  return answer.kind == LdapAnswer::Kind::yes ? kYes : kNo;
}

}  // namespace

LdapService::LdapService() : file_(home_path("control/ldap")) {}

bool LdapService::load(bool keeps_answers) {
  size_t entries = 0;
  const Result<std::optional<std::string>> text = control_text("ldap");
  if (keeps_answers && text && *text) {
    const Result<LdapSettings> settings = LdapSettings::parse(**text, "control/ldap");
    entries = settings ? settings->cache_entries : LdapSettings{}.cache_entries;
  }
  Result<SharedState> shared = SharedState::make(entries);
  if (!shared) {
    log_critical("start", shared.failure().text);
    return false;
  }
  directory_.reset();
  shared_.emplace(std::move(*shared));
  file_.changed();
  read_settings();
  return true;
}

void LdapService::read_settings() {
  const auto keep_old = [&](const Failure& failure) {
    log_critical("read the settings", failure.text);
    wrong_ = failure.text;
  };
  const Result<std::optional<std::string>> text = control_text("ldap");
  if (!text) return keep_old(text.failure());
  if (!*text) {
    directory_.reset();
    wrong_ = "there is no control/ldap";
    return;
  }
  Result<LdapSettings> settings = LdapSettings::parse(**text, "control/ldap");
  if (!settings) return keep_old(settings.failure());
  std::vector<WatchedFile> files;
  std::map<std::string, std::string> passwords;
  for (const auto& [name, server] : settings->servers) {
    if (server.password_file.empty()) continue;
    files.emplace_back(home_path("secrets/posternx/" + server.password_file));
    files.back().changed();
    Result<std::string> password = read_password(server.password_file);
    if (!password) {
      password_files_ = std::move(files);
      return keep_old(password.failure());
    }
    passwords.emplace(name, std::move(*password));
  }
  password_files_ = std::move(files);
  directory_ =
      std::make_unique<Directory>(std::move(*settings), std::move(passwords), *shared_, stamp_of(**text));
}

int LdapService::answer(Job& job, std::string& output) {
  bool changed = file_.changed();
  for (WatchedFile& file : password_files_) changed = file.changed() || changed;
  if (changed) read_settings();
  if (!directory_) {
    log_warning("answer", wrong_);
    output = "defer\t" + wrong_ + "\n";
    return kTrouble;
  }
  if (!job.arguments.empty() && (job.arguments[0] == "test" || job.arguments[0] == "--test"))
    return test(job.arguments, output);
  return ask(job, output);
}

int LdapService::ask(const Job& job, std::string& output) {
  struct Known {
    std::string_view verb;
    LdapKind kind;
    bool second;  // an argument behind the address: sender, or group
  };
  static constexpr std::array<Known, 6> kVerbs = {{{"accept", LdapKind::accept, true},
                                                   {"route", LdapKind::routing, false},
                                                   {"masquerade", LdapKind::masquerade, false},
                                                   {"group", LdapKind::group, true},
                                                   {"bind", LdapKind::smtpauth, false},
                                                   {"alias", LdapKind::isqalias, false}}};
  const std::vector<std::string>& given = job.arguments;
  const auto verb = std::find_if(kVerbs.begin(), kVerbs.end(), [&](const Known& known) {
    return !given.empty() && given[0] == known.verb;
  });
  const size_t least = verb == kVerbs.end() ? 0 : verb->second ? 3 : 2;
  if (verb == kVerbs.end() || given.size() < least || given.size() > least + 1) {
    log_warning("answer",
                "the arguments are accept ADDRESS SENDER, route ADDRESS, masquerade ADDRESS, group ADDRESS "
                "GROUP, bind USER, alias ADDRESS, each with a QUERY behind it or not, or test QUERY ADDRESS");
    return kWrong;
  }
  LdapQuestion question{.kind = verb->kind, .values = {.address = given[1]}};
  if (given.size() > least) question.name = given[least];
  if (verb->second)
    (verb->kind == LdapKind::group ? question.values.group : question.values.sender) = given[2];
  if (verb->verb == "bind") {
    Result<std::string> password = job.fd(0) < 0 ? Result<std::string>(temporary("there is no descriptor 0"))
                                                 : read_whole(job.fd(0), kPasswordLimitBytes, "read");
    if (!password) {
      const bool too_long = password.failure().permanent();
      output = (too_long ? "" : "defer\t") + ("read the password: " + password.failure().text) + "\n";
      return too_long ? kNo : kTrouble;
    }
    if (password->empty()) {
      output = "an empty password is nobody's\n";
      return kNo;
    }
    question.password = std::move(*password);
  }
  const LdapAnswer answer = directory_->ask(question);
  if (question.password) wipe(*question.password);
  if (answer.kind == LdapAnswer::Kind::trouble)
    log_warning("answer " + given[0], printable(answer.why, 1000));
  const bool gives_lines = verb->kind != LdapKind::accept && verb->kind != LdapKind::group;
  return conclude(answer, gives_lines, output);
}

int LdapService::test(const std::vector<std::string>& arguments, std::string& output) {
  if (arguments.size() < 3 || arguments.size() > 4) {
    log_warning("answer", "the arguments are test QUERY ADDRESS, with a group or a sender behind it or not");
    return kWrong;
  }
  LdapQuestion question{.name = arguments[1], .values = {.address = arguments[2]}};
  if (arguments.size() == 4) {
    question.values.group = arguments[3];
    question.values.sender = arguments[3];
  }
  std::vector<std::string> told;
  const LdapAnswer answer = directory_->explain(question, told);
  append_lines(told, output);
  std::vector<std::string> lines;
  for (const std::string& line : answer.lines) lines.push_back("gives " + line);
  const bool away = answer.kind == LdapAnswer::Kind::trouble;
  const std::string word = away                                   ? "trouble, " + answer.away
                           : answer.kind == LdapAnswer::Kind::yes ? "yes"
                                                                  : "no";
  lines.push_back("result " + word + ": " + answer.why);
  append_lines(lines, output);
  return away ? kTrouble : answer.kind == LdapAnswer::Kind::yes ? kYes : kNo;
}

}  // namespace postern

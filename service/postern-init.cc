// postern-init - make a complete instance, or bring one up to date: directories, users, control files,
// services.
//
//   usage      postern-init DIR [--me HOST] [--listen ADDR:PORT] [--submission ADDR:PORT] [--local DOMAIN]
//              [--user NAME]... [--route DOMAIN:HOST:PORT]... [--resolver ADDR:PORT] [--clamdb DIR]
//              [--smtps ADDR:PORT] [--tls-self-signed]
//   user       root: the users of the privilege split are made and used; anyone else: everything runs as the
//              caller
//   exit       0 made, 100 wrong usage or something in the way, 111 try again
//
// Control files that exist are kept unless an option sets them; run scripts are always written anew.

#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "lib/bind.h"
#include "lib/child.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/spool.h"
#include "lib/text.h"
#include "service/accounts.h"
#include "service/control_defaults.h"
#include "service/init_options.h"
#include "service/install_files.h"
#include "service/run_scripts.h"

namespace {

using namespace postern;

struct Plan {
  InitOptions options;
  Instance instance;
};

Result<Plan> make_plan(int argc, char** argv);    // the job, top to bottom:
Result<void> make_directories(const Plan& plan);  //   who owns what
Result<void> write_control(const Plan& plan);     //   defaults, and what the options say
Result<void> compile_tables(const Plan& plan);    //   tcp.smtp.cdb, hat.bin
Result<void> make_certificate(const Plan& plan);  //   secrets/posternk/ME.pem, where it is asked for
Result<void> make_mailboxes(const Plan& plan);    //   mail/NAME/Maildir, users/assign, users/cdb
Result<void> write_services(const Plan& plan);    //   service/NAME/run and log/run

Result<void> run_program_here(const Plan& plan, std::vector<std::string> arguments, int input) {
  ChildOptions child;
  child.arguments = std::move(arguments);
  child.environment.set("POSTERN_HOME", plan.instance.home);
  child.environment.set("PATH", "/usr/local/bin:/usr/bin:/bin");
  child.directory = plan.instance.home;
  if (input >= 0) child.fds.push_back({input, 0});
  Result<ChildEnd> end = run_child(child, now_milliseconds() + 60000, 4096);
  if (!end) return end.failure();
  if (end->signal == 0 && end->exit_code == 0) return {};
  return temporary("run " + child.arguments.front() + ": it failed with code " +
                   std::to_string(end->exit_code));
}

// The owner of a service's files; null without the privilege split.
Result<std::unique_ptr<Identity>> owner_of(const Plan& plan, std::string_view user) {
  if (!plan.instance.split) return std::unique_ptr<Identity>();
  Result<Identity> identity = look_up_user(user);
  if (!identity) return identity.failure();
  return std::make_unique<Identity>(*identity);
}

// The option, else what an earlier run wrote; neither: no such listener, and both stay empty.
Result<void> set_listener(const Plan& plan, const char* file, std::string& option, Listener& listener) {
  const std::string path = plan.instance.home + "/control/" + file;
  if (option.empty()) {
    Result<std::string> before = read_file(path, 200);
    if (!before) return {};
    option = trim(*before);
  }
  Result<AddressPort> where = parse_address_port(option);
  if (!where) return permanent(path + ": should be ADDR:PORT");
  listener = {where->address, where->port};
  return {};
}

Result<Plan> make_plan(int argc, char** argv) {
  Result<InitOptions> options = parse_init_options({argv + 1, argv + argc});
  if (!options) return options.failure();
  Plan plan{.options = *options, .instance = {}};
  if (::mkdir(options->directory.c_str(), 0755) < 0 && errno != EEXIST)
    return os_failure("make " + options->directory, errno);
  std::array<char, PATH_MAX> home{};
  if (::realpath(options->directory.c_str(), home.data()) == nullptr)
    return os_failure("find " + options->directory, errno);
  plan.instance.home = home.data();
  plan.instance.programs = own_directory();
  plan.instance.split = ::getuid() == 0;
  std::string listen = options->listen;
  if (listen.empty()) {
    Result<std::string> before = read_file(plan.instance.home + "/control/listen", 200);
    listen = before ? std::string(trim(*before)) : plan.instance.split ? "0.0.0.0:25" : "127.0.0.1:2525";
  }
  Result<AddressPort> address = parse_address_port(listen);
  if (!address) return permanent(plan.instance.home + "/control/listen: should be ADDR:PORT");
  plan.options.listen = listen;
  plan.instance.listen = {address->address, address->port};
  Result<void> set =
      set_listener(plan, "listensubmission", plan.options.submission, plan.instance.submission);
  if (set) set = set_listener(plan, "listensmtps", plan.options.smtps, plan.instance.smtps);
  if (!set) return set.failure();
  ::setenv("POSTERN_HOME", plan.instance.home.c_str(), 1);
  return plan;
}

Result<void> make_directories(const Plan& plan) {
  struct Row {
    const char* name;
    mode_t mode;
    const char* user;
  };
  static constexpr std::array kRows = {
      Row{"", 0755, "root"},
      Row{"control", 0755, "root"},
      Row{"secrets", 0711, "root"},
      Row{"secrets/posternr", 0700, "posternr"},
      Row{"db", 0755, "root"},
      Row{"run", 0755, "root"},
      Row{"service", 0755, "root"},
      Row{"log", 0755, "root"},
      Row{"mail", 0755, "root"},
      Row{"users", 0755, "root"},
      Row{"queue", 0700, "posternq"},
      Row{"work", 0700, "posternq"},
      Row{"sets", 0700, "posternq"},
      Row{"secrets/posterng", 0700, "posterng"},
      Row{"secrets/posterni", 0700, "posterni"},
      Row{"secrets/posternk", 0700, "posternk"},
      Row{"secrets/posternx", 0700, "posternx"},
      Row{"quarantine", 0700, "posterno"},
      Row{"db/quarantine", 0700, "posterno"},
      Row{"db/sts", 0755, "posternh"},  // remote reads it while stsd is away
      Row{"db/tlsrpt", 0750, "posterne"},
      Row{"db/rated", 0700, "posterny"},
      Row{"db/repd", 0700, "posternz"},
      Row{"db/limits", 0700, "posternr"},
  };
  for (const Row& row : kRows) {
    Result<std::unique_ptr<Identity>> owner = owner_of(plan, row.user);
    if (!owner) return owner.failure();
    if (Result<void> made = install_directory(plan.instance.home + "/" + row.name, row.mode, owner->get());
        !made)
      return made;
  }
  // Before root runs a job of rspawn by hand, whose file would be root's.
  Result<std::unique_ptr<Identity>> counter = owner_of(plan, "posternr");
  if (!counter) return counter.failure();
  const std::string counts = plan.instance.home + "/db/limits/addresses";
  if (Result<void> made = install_empty_file(counts, 0600, counter->get()); !made) return made;
  // Whose directory it is is the operator's to change: its owner is the alias user.
  const std::string alias = plan.instance.home + "/alias";
  if (::access(alias.c_str(), F_OK) < 0) {
    Result<std::unique_ptr<Identity>> owner = owner_of(plan, "posternm");
    if (!owner) return owner.failure();
    if (Result<void> made = install_directory(alias, 0755, owner->get()); !made) return made;
  }
  // What postern-selftest sends is thrown away where the chain lets it through.
  const std::string selftest = alias + "/.qmail-postern-selftest";
  if (::access(selftest.c_str(), F_OK) < 0) {
    Result<void> made = install_file(selftest, "# A file of comments alone throws mail away.\n", 0644);
    if (!made) return made;
  }
  for (const char* spool : {"queue", "work", "sets"}) {
    Result<std::unique_ptr<Identity>> owner = owner_of(plan, "posternq");
    if (!owner) return owner.failure();
    for (const std::string& directory : Spool(plan.instance.home + "/" + spool).directories()) {
      if (Result<void> made = install_directory(directory, 0700, owner->get()); !made) return made;
    }
  }
  return {};
}

Result<void> write_control(const Plan& plan) {
  const InitOptions& options = plan.options;
  const std::string control = plan.instance.home + "/control/";
  const auto exists = [&](std::string_view name) {
    return ::access((control + std::string(name)).c_str(), F_OK) == 0;
  };
  const auto write = [&](std::string_view name, std::string_view value) {
    return install_file(control + std::string(name), std::string(value) + "\n", 0644);
  };
  for (const ControlDefault& file : control_defaults()) {
    if (exists(file.name)) continue;
    if (Result<void> wrote = install_file(control + std::string(file.name), file.content, 0644); !wrote)
      return wrote;
  }
  Result<std::string> host = control_me();  // control/me, else the kernel's name
  if (!host) return host.failure();
  const std::string me = options.me.empty() ? *host : options.me;
  const std::string local = options.local.empty() ? me : options.local;
  std::string routes;
  for (const std::string& route : options.routes) routes += route + "\n";
  struct Setting {
    const char* name;
    std::string value;
    bool given;
    bool has_default;
  };
  for (const Setting& setting :
       {Setting{"me", me, !options.me.empty(), true}, Setting{"locals", local, !options.local.empty(), true},
        Setting{"rcpthosts", local, !options.local.empty(), true},
        Setting{"listen", options.listen, true, true},
        Setting{"listensubmission", options.submission, !options.submission.empty(), false},
        Setting{"listensmtps", options.smtps, !options.smtps.empty(), false},
        Setting{"smtproutes", routes.substr(0, routes.size() - (routes.empty() ? 0 : 1)), !routes.empty(),
                false},
        Setting{"resolver", options.resolver, !options.resolver.empty(), false},
        Setting{"clamdb", options.clamdb, !options.clamdb.empty(), false}}) {
    if (!setting.given && (!setting.has_default || exists(setting.name))) continue;
    if (Result<void> wrote = write(setting.name, setting.value); !wrote) return wrote;
  }
  return {};
}

Result<void> compile_tables(const Plan& plan) {
  const std::string table = plan.instance.home + "/control/tcp.smtp";
  const Fd rules{::open(table.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!rules) return os_failure("open " + table, errno);
  Result<void> made =
      run_program_here(plan, {"/usr/bin/tcprules", table + ".cdb", table + ".tmp"}, rules.get());
  if (made && ::chmod((table + ".cdb").c_str(), 0644) < 0)
    return os_failure("set the mode of " + table + ".cdb", errno);
  if (!made) return made;
  return run_program_here(plan, {plan.instance.programs + "/postern-hat", "compile"}, -1);
}

// Whoever mails us looks at no name unless a policy of ours tells them to, so this is better than nothing. It
// is made outside of posternk's directory, whose files may be links.
Result<void> make_certificate(const Plan& plan) {
  if (!plan.options.self_signed) return {};
  Result<std::string> me = control_me();
  if (!me) return me.failure();
  const std::string path = plan.instance.home + "/secrets/posternk/" + *me + ".pem";
  if (::access(path.c_str(), F_OK) == 0) return {};
  static constexpr size_t kCommonNameLimit = 64;  // RFC 5280, ub-common-name
  const std::string made = plan.instance.home + "/.certificate.pem";
  ::unlink(made.c_str());
  const mode_t before = ::umask(077);
  Result<void> done = run_program_here(
      plan,
      {"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
       "-days", "3650", "-subj", "/CN=" + me->substr(0, kCommonNameLimit), "-addext",
       "subjectAltName=DNS:" + *me, "-keyout", made, "-out", made},
      -1);
  ::umask(before);
  if (!done) return done;
  Result<std::unique_ptr<Identity>> owner = owner_of(plan, "posternk");
  if (!owner) return owner.failure();
  if (*owner && ::chown(made.c_str(), (*owner)->uid, (*owner)->gid) < 0)
    return os_failure("give " + made + " away", errno);
  if (::rename(made.c_str(), path.c_str()) < 0) return os_failure("rename to " + path, errno);
  return {};
}

// Whose mailbox it is: the account of that name, else posternm; the caller without the privilege split.
Result<Identity> mailbox_owner(const Plan& plan, const std::string& name) {
  if (!plan.instance.split) return Identity{::getuid(), ::getgid()};
  const struct passwd* account = ::getpwnam(name.c_str());
  if (account != nullptr && account->pw_uid != 0) return Identity{account->pw_uid, account->pw_gid};
  return look_up_user("posternm");
}

Result<void> make_mailboxes(const Plan& plan) {
  const std::string assign_path = plan.instance.home + "/users/assign";
  Result<std::string> before = read_file(assign_path, 16 * 1024 * 1024);
  std::string assign;
  for (const std::string_view line : split(before ? std::string_view(*before) : std::string_view(), '\n')) {
    if (!line.empty() && line != ".") assign.append(line).append("\n");
  }
  for (const std::string& name : plan.options.users) {
    Result<Identity> owner = mailbox_owner(plan, name);
    if (!owner) return owner.failure();
    const std::string home = plan.instance.home + "/mail/" + name;
    for (const char* part : {"", "/Maildir", "/Maildir/tmp", "/Maildir/new", "/Maildir/cur"}) {
      const Identity* give = plan.instance.split ? &*owner : nullptr;
      if (Result<void> made = install_directory(home + part, 0700, give); !made) return made;
    }
    const std::string account =
        name + ":" + std::to_string(owner->uid) + ":" + std::to_string(owner->gid) + ":" + home + ":";
    for (const std::string& line :
         {"=" + name + ":" + account + "::\n", "+" + name + "-:" + account + "-::\n"}) {
      if (("\n" + assign).find("\n" + line) == std::string::npos) assign += line;
    }
  }
  if (Result<void> wrote = install_file(assign_path, assign + ".\n", 0644); !wrote) return wrote;
  return run_program_here(plan, {plan.instance.programs + "/postern-newu"}, -1);
}

Result<void> write_services(const Plan& plan) {
  Result<std::unique_ptr<Identity>> log_owner = owner_of(plan, "posternl");
  if (!log_owner) return log_owner.failure();
  for (const Service& service : services()) {
    if (service.program.empty() && listener_of(plan.instance, service).port.empty()) continue;
    const std::string directory = plan.instance.home + "/service/" + service.name;
    for (const char* part : {"", "/env", "/log"}) {
      if (Result<void> made = install_directory(directory + part, 0755, nullptr); !made) return made;
    }
    Result<void> made =
        install_directory(plan.instance.home + "/log/" + service.name, 0755, log_owner->get());
    if (!made) return made;
    if (made = install_file(directory + "/env/POSTERN_HOME", plan.instance.home + "\n", 0644); !made)
      return made;
    if (made = install_file(directory + "/run", run_script(plan.instance, service), 0755); !made) return made;
    if (made = install_file(directory + "/log/run", log_run_script(plan.instance, service), 0755); !made)
      return made;
  }
  return {};
}

int run(int argc, char** argv) {
  ::umask(022);
  Result<Plan> plan = make_plan(argc, argv);
  if (!plan) {
    log_critical("make an instance", plan.failure().text);
    return plan.failure().permanent() ? 100 : 111;
  }
  if (!plan->instance.split) {
    log_info("not root: the privilege split is off, every program runs as the caller");
  } else if (Result<void> made = make_service_accounts(); !made) {
    log_critical("make the users", made.failure().text);
    return 111;
  }
  for (Result<void> (*step)(const Plan&) :
       {make_directories, write_control, compile_tables, make_certificate, make_mailboxes, write_services}) {
    if (Result<void> done = step(*plan); !done) {
      log_critical("make the instance " + plan->instance.home, done.failure().text);
      return done.failure().permanent() ? 100 : 111;
    }
  }
  log_info("instance " + plan->instance.home + " is ready, SMTP on " + plan->options.listen +
           "; run it with: svscan " + plan->instance.home + "/service");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-init", {}, run, argc, argv);
}

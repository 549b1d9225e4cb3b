#include "service/services.h"

namespace postern {

const std::vector<Service>& services() {
  static const std::vector<Service> kServices = {
      {"smtpd", "posternd", "", {}, 128, "SMTP in: a postern-smtpd for each connection"},
      {"scanq",
       "posterns",
       "postern-scanq --serve",
       {"posternd", "posterno", "posternp", "posternq"},
       256,
       "the work queue's coordinator",
       "posterno"},
      {"queue", "posternq", "postern-queue --serve", {"posterns", "posterno"}, 128, "makes messages durable"},
      {"work",
       "posternq",
       "postern-queue --serve",
       {"posternd"},
       128,
       "makes messages durable that are scanned later",
       "",
       "POSTERN_SPOOL=work"},
      {"workq", "posternq", "postern-workq", {}, 1024, "has those scanned"},
      {"send", "posternq", "postern-send", {}, 4096, "works the queue"},
      {"lspawn",
       "root",
       "postern-lspawn --serve",
       {"posternq"},
       128,
       "local delivery: becomes the recipient's user"},
      {"rspawn", "posternr", "postern-rspawn --serve", {"posternq"}, 256, "remote delivery"},
      {"dnsq", "posternn", "postern-dnsq --serve", {"posternr", "posternd"}, 1024, "the DNS cache"},
      {"antivirus",
       "posternv",
       "postern-antivirus --serve",
       {"posterns", "posternc", "posternv"},
       8192,
       "libclamav, loaded once"},
      {"clamd",
       "posternc",
       "postern-clamserver --serve",
       {},
       2048,
       "answers clients of clamd by antivirus",
       "",
       "",
       true,
       true},
      {"quarantine",
       "posterno",
       "postern-quarantine --serve",
       {"posterns"},
       256,
       "the store of what is held back"},
      {"pickup",
       "posternp",
       "postern-pickup --serve",
       {},
       256,
       "takes mail from the users of this host",
       "",
       "",
       false,
       true},
  };
  return kServices;
}

const std::vector<ServiceUser>& service_users() {
  static const std::vector<ServiceUser> kUsers = {
      {"posternd", "Postern smtpd"},          {"posterns", "Postern scanq"},
      {"posternq", "Postern queue and send"}, {"posternr", "Postern remote"},
      {"posternn", "Postern dnsq"},           {"posternv", "Postern antivirus"},
      {"posterno", "Postern quarantine"},     {"posternm", "Postern mailboxes"},
      {"posternl", "Postern logs"},           {"posternp", "Postern pickup"},
      {"posternc", "Postern clamd"},
  };
  return kUsers;
}

}  // namespace postern

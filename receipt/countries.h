// The networks of countries, out of a database in MaxMind's form. Needs libmaxminddb where it is linked.
#pragma once

#include <string>

#include "receipt/hat_compile.h"

namespace postern {

// The database that control/countrydb names is opened when a country is first asked for.
CountryNetworks countries_of_database();

// All networks of these codes (ISO 3166, capitals) in the file.
Result<std::vector<AddressPrefix>> country_networks(const std::string& path,
                                                    const std::vector<std::string>& codes);

}  // namespace postern

// The system of the examples, and ways to spoil it.
#pragma once

#include <catch2/catch.hpp>

#include <string>

namespace holdfast::test {

// Tests count its lines; the first is 1.
inline const std::string epr_text = R"(name = "epr"
title = "Electronic patient record"
supplier = "Pippin Hosting"
contacts = ["Switchboard 01234 567890"]
opening_keys = "node"
[objectives]
data_age = "15m"
time_to_run = "30m"

[[source]]
name = "database"
kind = "postgres"
host = "127.0.0.1"
port = 5433
user = "copier"
passfile = "/etc/holdfast/epr.pgpass"
sslmode = "prefer"

[[source]]
name = "documents"
kind = "files"
path = "/srv/epr/documents"
exclude = ["*.tmp", "cache/**"]
one_file_system = true

[plan]
runtime = "postgres"
hosts = ["Trumpton"]

[[check]]
name = "allergies are there"
kind = "sql"
source = "database"
query = "select count(*) > 0 from allergies"
expect = "t"

[[check]]
name = "content equals"
kind = "command"
command = "prove"

[[endpoint]]
name = "database"
source = "database"
port = 5432
relay = "127.0.0.1:15432"
probe = "tcp"

[fence]
kind = "attested"
say = "Is Pippin's server powered off, or its link unplugged?"
)";

/// `text` with `old_part`, which must be there, replaced by `new_part` once.
inline std::string with(std::string text, const std::string& old_part,
                        const std::string& new_part) {
    const std::size_t at = text.find(old_part);
    REQUIRE(at != std::string::npos);
    return text.replace(at, old_part.size(), new_part);
}

}  // namespace holdfast::test

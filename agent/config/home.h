// Home: where a node keeps its things. Paths only; nothing is made or opened here.
//
//                 Home::at(DIR)       Home::standard()
//     node        DIR/node.toml       /etc/holdfast/node.toml     written by init
//     systems     DIR/systems         /etc/holdfast/systems       NAME.toml each
//     runtimes    DIR/runtimes        /etc/holdfast/runtimes      NAME.toml each, root's
//     keys        DIR/keys            /var/lib/holdfast/keys      key files
//     state       DIR/state           /var/lib/holdfast/state     SQLite files
//     vault       DIR/vault           /var/lib/holdfast/vault     the trust's own objects only
//     tenants     DIR/tenants         /var/lib/holdfast/tenants   one folder per hosted partner
//     people      DIR/people          /var/lib/holdfast/people    certificates, wrapped keys
//     mounts      DIR/mounts          /var/lib/holdfast/mounts    overlays and mount points
//     kit         DIR/kit             /var/lib/holdfast/kit       the recovery kit's files
//     run         DIR/run             /run/holdfast               sockets
#pragma once

#include "vault/base/result.h"

#include <string>
#include <string_view>

namespace holdfast::agent {

struct Home {
    std::string node, systems, runtimes;
    std::string keys, state, vault, tenants, people, mounts, kit;
    std::string run;

    /// All below `folder`; a relative one is taken from the working folder now.
    static Home at(const std::string& folder);
    static Home standard();

    /// systems/NAME.toml. Errors: Invalid (not a name).
    Result<std::string> system_file(std::string_view name) const;
    /// runtimes/NAME.toml. Errors: Invalid (not a name).
    Result<std::string> runtime_file(std::string_view name) const;

    friend bool operator==(const Home&, const Home&) = default;
};

}  // namespace holdfast::agent

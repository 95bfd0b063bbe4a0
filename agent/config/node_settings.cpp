#include "agent/config/node_settings.h"

#include "agent/config/settings_files.h"
#include "agent/config/table_reader.h"
#include "vault/base/file.h"

namespace holdfast::agent {

using config::Need;
using config::TableReader;
using config::toml_text;
namespace rule = config::rule;

namespace {

NodeSettings read_node(TableReader& root) {
    NodeSettings out;
    std::string trust;
    if (root.text("trust", Need::Required, rule::trust_id, trust)) {
        out.trust = *TrustId::from_text(trust);
    }
    root.text("name", Need::Required, rule::name, out.name);
    if (auto peer = root.table("peer", Need::Optional)) {
        PeerSettings& into = out.peer.emplace();
        peer->text("listen", Need::Required, rule::bound, into.listen);
        peer->text("address", Need::Optional, rule::dialled, into.address);
        peer->flag("after_snapshot", Need::Optional, into.after_snapshot);
        peer->finish();
    }
    if (auto console = root.table("console", Need::Optional)) {
        console->text("listen", Need::Required, rule::bound, out.console.emplace().listen);
        console->finish();
    }
    root.finish();
    return out;
}

std::string render(const NodeSettings& settings) {
    std::string out = "# This node. After a change: start holdfast node run anew\n";
    out += "trust = " + toml_text(settings.trust.hex()) + "\n";
    out += "name = " + toml_text(settings.name) + "\n";
    if (settings.peer) {
        out += "\n[peer]\nlisten = " + toml_text(settings.peer->listen) + "\n";
        if (!settings.peer->address.empty()) {
            out += "address = " + toml_text(settings.peer->address) + "\n";
        }
        if (!settings.peer->after_snapshot) out += "after_snapshot = false\n";
    }
    if (settings.console) {
        out += "\n[console]\nlisten = " + toml_text(settings.console->listen) + "\n";
    }
    return out;
}

}  // namespace

Result<NodeSettings> parse_node(const std::string& text, const std::string& file) {
    const config::Value document = HF_TRY(config::parse_document(text, file, node_file_bytes_max));
    config::Mistakes mistakes(file);
    TableReader root(document, "", mistakes);
    NodeSettings settings = read_node(root);
    if (!mistakes.none()) return std::move(mistakes).error();
    return settings;
}

Result<NodeSettings> load_node(const Home& home) {
    auto text = config::read_text(home.node, node_file_bytes_max);
    if (!text && text.error().code == Errc::NotFound) {
        return Error{Errc::NotFound, "this node is not set up: there is no " + home.node +
                                         "; holdfast init makes it"};
    }
    return parse_node(HF_TRY(std::move(text)), home.node);
}

Result<void> write_node(const Home& home, const NodeSettings& settings) {
    const std::string text = render(settings);
    const NodeSettings read = HF_TRY(parse_node(text, home.node));
    HF_ASSERT(read == settings);
    if (path_exists(home.node)) {
        return Error{Errc::Conflict, home.node + " is there already: this node is set up"};
    }
    HF_TRY(make_folders(home.node.substr(0, home.node.rfind('/')), 0755));
    return write_file_durably(home.node, as_view(text), 0644);
}

}  // namespace holdfast::agent

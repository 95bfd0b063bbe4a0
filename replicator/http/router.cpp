#include "replicator/http/router.h"

#include "replicator/http/tunnel.h"

namespace holdfast::replicator {

namespace {

std::vector<std::string> split(std::string_view path) {
    std::vector<std::string> segments;
    while (!path.empty()) {
        path.remove_prefix(1);  // The slash.
        const std::size_t end = std::min(path.find('/'), path.size());
        segments.emplace_back(path.substr(0, end));
        path.remove_prefix(end);
    }
    return segments;
}

bool is_parameter(const std::string& segment) {
    return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

bool takes_rest(const std::string& segment) {
    return is_parameter(segment) && segment.ends_with("...}");
}

std::string name_of(const std::string& segment) {
    const std::size_t dots = takes_rest(segment) ? 3 : 0;
    return segment.substr(1, segment.size() - 2 - dots);
}

using Params = std::map<std::string, std::string>;

std::optional<Params> match(const std::vector<std::string>& pattern,
                            const std::vector<std::string>& path) {
    Params params;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (i >= path.size() || path[i].empty() != pattern[i].empty()) return std::nullopt;
        if (takes_rest(pattern[i])) {
            std::string rest = path[i];
            for (std::size_t j = i + 1; j < path.size(); ++j) rest += "/" + path[j];
            params[name_of(pattern[i])] = std::move(rest);
            return params;
        }
        if (is_parameter(pattern[i])) {
            params[name_of(pattern[i])] = path[i];
        } else if (pattern[i] != path[i]) {
            return std::nullopt;
        }
    }
    if (path.size() != pattern.size()) return std::nullopt;
    return params;
}

// Literal before parameter before rest, at the first segment where two patterns differ.
bool more_exact(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    const auto rank = [](const std::string& segment) {
        return takes_rest(segment) ? 2 : is_parameter(segment) ? 1 : 0;
    };
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        if (rank(a[i]) != rank(b[i])) return rank(a[i]) < rank(b[i]);
    }
    return false;
}

}  // namespace

void Router::add(std::string_view method, std::string_view pattern, HttpHandler handler,
                 std::uint64_t body_bytes_max) {
    HF_ASSERT(pattern.starts_with('/'));
    auto segments = split(pattern);
    for (const Route& route : routes_) {
        HF_ASSERT(route.method != method || route.segments != segments);
    }
    routes_.push_back(
        {std::string(method), std::move(segments), std::move(handler), body_bytes_max});
}

void Router::on(std::string_view method, std::string_view pattern, RequestHandler handler,
                std::uint64_t body_bytes_max) {
    add(method, pattern, std::move(handler), body_bytes_max);
}

void Router::on_upload(std::string_view method, std::string_view pattern, UploadHandler handler,
                       std::uint64_t body_bytes_max) {
    add(method, pattern, std::move(handler), body_bytes_max);
}

void Router::on_tunnel(std::string_view pattern, TunnelHandler handler) {
    add(tunnel_method, pattern, std::move(handler), 0);
}

Router::Match Router::find(std::string_view method, std::string_view path) const {
    Match found;
    const auto segments = split(path);
    const auto look_for = [&](std::string_view wanted) {
        for (const Route& route : routes_) {
            auto params = match(route.segments, segments);
            if (!params) continue;
            if (route.method != wanted) continue;
            if (found.route && !more_exact(route.segments, found.route->segments)) continue;
            found.route = &route;
            found.params = std::move(*params);
        }
    };
    look_for(method);
    if (!found.route && method == "HEAD") look_for("GET");
    if (found.route) return found;
    for (const Route& route : routes_) {
        if (!match(route.segments, segments)) continue;
        if (found.allowed.find(route.method) != std::string::npos) continue;
        found.allowed += (found.allowed.empty() ? "" : ", ") + route.method;
    }
    return found;
}

std::vector<std::string> Router::names() const {
    std::vector<std::string> out;
    for (const Route& route : routes_) {
        out.push_back(route.method + " ");
        for (const std::string& segment : route.segments) out.back() += "/" + segment;
    }
    return out;
}

}  // namespace holdfast::replicator

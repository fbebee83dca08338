// What a run is made of, so that ranks, and a run and its resumption, can be found to have the same.
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "comm/transport.hpp"
#include "network/loader.hpp"

namespace spinet::tool {

/// The name of this machine, for messages.
std::string host_name();

/// Data files that were read: the name that the network gives, and where it was found.
using DataFiles = std::map<std::string, std::filesystem::path>;
/// What `LoadOptions::data_file` is set to, to fill `files`, which must outlive the options.
std::function<void(const std::string&, const std::filesystem::path&)> collect_into(DataFiles& files);

/// Things by name, each as a text that is equal where the thing is: digests of contents, or what a short
/// thing says.
using Manifest = std::map<std::string, std::string>;

/// SHA-256 of the files, by name ("data file spikes.csv").  Throws UserError: a file cannot be read.
Manifest manifest_of(const DataFiles& files);
/// Of a network as read: its text, what replaces values in it, the version of spinet.
Manifest manifest_of(const Network& network);

/// The same as texts, to be kept: "DIGEST  NAME".
std::vector<std::string> lines_of(const Manifest& manifest);

/// Throws, on every rank, where a rank has another manifest than rank 0: UserError on rank 0, which says
/// which rank on which host, and what.  Collective.
void require_same(Transport& transport, const Manifest& manifest);

/// Throws UserError where files that a checkpoint names, as `lines_of` a manifest, are not what they were.
void require_unchanged(const std::vector<std::string>& kept, const Manifest& now,
                       const std::string& checkpoint);

}  // namespace spinet::tool

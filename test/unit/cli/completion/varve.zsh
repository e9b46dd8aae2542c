#compdef varve
# Completion of varve for zsh. In ~/.zshrc, after compinit: source <(varve completion zsh)
_varve() {
  local place='' next word
  local -a found flags
  for word in "${(@)words[2,CURRENT-1]}"; do
    next="${place:+$place }$word"
    case "$next" in
      'start' | 'local' | 'topic' | 'topic create' | 'topic list' | 'topic describe' | 'topic alter' | 'topic delete' | 'produce' | 'consume' | 'offsets' | 'cluster' | 'cluster describe' | 'quorum' | 'quorum describe' | 'quorum add-voter' | 'quorum remove-voter' | 'quorum transfer' | 'log' | 'log dump' | 'log verify' | 'log adopt' | 'snapshot' | 'snapshot dump' | 'config' | 'config docs' | 'completion') place="$next" ;;
    esac
  done
  case "$place ${words[CURRENT-1]}" in
    'start --data-dir' | 'start --grpc' | 'start --kafka' | 'start --http' | 'start --config' | 'start --set' | 'start --node-id' | 'start --voters' | 'start --peer' | 'start --rack' | 'local --nodes' | 'local --data-dir' | 'local --config' | 'local --set' | 'topic create --partitions' | 'topic create --replication-factor' | 'topic create --config' | 'topic create --brokers' | 'topic create --tls-ca' | 'topic create --tls-cert' | 'topic create --tls-key' | 'topic list --brokers' | 'topic list --tls-ca' | 'topic list --tls-cert' | 'topic list --tls-key' | 'topic describe --brokers' | 'topic describe --tls-ca' | 'topic describe --tls-cert' | 'topic describe --tls-key' | 'topic alter --partitions' | 'topic alter --config' | 'topic alter --unset' | 'topic alter --brokers' | 'topic alter --tls-ca' | 'topic alter --tls-cert' | 'topic alter --tls-key' | 'topic delete --brokers' | 'topic delete --tls-ca' | 'topic delete --tls-cert' | 'topic delete --tls-key' | 'produce --file' | 'produce --key-separator' | 'produce --partition' | 'produce --timeout' | 'produce --brokers' | 'produce --tls-ca' | 'produce --tls-cert' | 'produce --tls-key' | 'consume --partition' | 'consume --from' | 'consume --max-records' | 'consume --key-separator' | 'consume --brokers' | 'consume --tls-ca' | 'consume --tls-cert' | 'consume --tls-key' | 'offsets --brokers' | 'offsets --tls-ca' | 'offsets --tls-cert' | 'offsets --tls-key' | 'cluster describe --brokers' | 'cluster describe --tls-ca' | 'cluster describe --tls-cert' | 'cluster describe --tls-key' | 'quorum describe --brokers' | 'quorum describe --tls-ca' | 'quorum describe --tls-cert' | 'quorum describe --tls-key' | 'quorum add-voter --brokers' | 'quorum add-voter --tls-ca' | 'quorum add-voter --tls-cert' | 'quorum add-voter --tls-key' | 'quorum remove-voter --brokers' | 'quorum remove-voter --tls-ca' | 'quorum remove-voter --tls-cert' | 'quorum remove-voter --tls-key' | 'quorum transfer --brokers' | 'quorum transfer --tls-ca' | 'quorum transfer --tls-cert' | 'quorum transfer --tls-key' | 'log adopt --node-id') _files; return ;;
    'produce --compression') compadd none gzip snappy lz4 zstd; return ;;
    'produce --acks') compadd all leader; return ;;
    'consume --format') compadd value json; return ;;
  esac
  case "$place" in
    '') found=(
      'start:run a broker until it is told to stop'
      'local:run a cluster on this machine until it is told to stop, for trying it out'
      'topic:make, show, change and delete topics'
      'produce:write records, one a line of standard input'
      'consume:print records as they arrive'
      'offsets:show the first and the next offset of partitions'
      'cluster:about the cluster'
      'quorum:show and change who keeps the metadata'
      'log:look into partitions'\'' folders without a broker; also Kafka'\''s'
      'snapshot:look into the metadata of a node that is stopped'
      'config:about the settings of a broker'
      'completion:print a script that completes commands and options in a shell') flags=(
      '--version:show the version'
      '--help:show help') ;;
    'start') found=() flags=(
      '--data-dir:folder of all its data; made if it is not there'
      '--grpc:where to serve clients (default: 127.0.0.1:9095)'
      '--kafka:where to serve Kafka clients; empty for nowhere (default: 127.0.0.1:9092)'
      '--http:where to serve metrics and health (default: 127.0.0.1:9644)'
      '--config:settings as YAML or JSON (or VARVE_CONFIG)'
      '--set:one setting (see: varve config docs); may be repeated'
      '--insecure:allow everybody who reaches it to do anything'
      '--node-id:number of this node (default: 1)'
      '--voters:nodes that form the cluster, by their peer ports; the same on each'
      '--peer:where to serve the other nodes (default: 127.0.0.1:9093)'
      '--rack:rack, zone or host of this node'
      '--json:print one line of JSON when ready'
      '--help:show help') ;;
    'local') found=() flags=(
      '--nodes:number of nodes'
      '--data-dir:folder of all their data'
      '--config:settings of all of them, as YAML or JSON'
      '--set:a setting of all of them; may be repeated'
      '--help:show help') ;;
    'topic') found=(
      'create:make a topic'
      'list:list all topics'
      'describe:show partitions and settings of topics'
      'alter:change a topic'
      'delete:delete topics with all their records') flags=(
      '--help:show help') ;;
    'topic create') found=() flags=(
      '--partitions:number of partitions (default: the broker'\''s)'
      '--replication-factor:copies (default: the broker'\''s)'
      '--config:a setting of the topic; may be repeated'
      '--json:print JSON'
      '--brokers:brokers to begin with (default: 127.0.0.1:9095, or VARVE_BROKERS)'
      '--tls-ca:authorities to trust, as PEM; switches TLS on'
      '--tls-cert:certificate to present, as PEM'
      '--tls-key:private key of the certificate, as PEM'
      '--help:show help') ;;
    'topic list') found=() flags=(
      '--json:print JSON'
      '--brokers:brokers to begin with (default: 127.0.0.1:9095, or VARVE_BROKERS)'
      '--tls-ca:authorities to trust, as PEM; switches TLS on'
      '--tls-cert:certificate to present, as PEM'
      '--tls-key:private key of the certificate, as PEM'
      '--help:show help') ;;
    'topic describe') found=() flags=(
      '--json:print JSON'
      '--brokers:brokers to begin with (default: 127.0.0.1:9095, or VARVE_BROKERS)'
      '--tls-ca:authorities to trust, as PEM; switches TLS on'
      '--tls-cert:certificate to present, as PEM'
      '--tls-key:private key of the certificate, as PEM'
      '--help:show help') ;;
    'topic alter') found=() flags=(
      '--partitions:number of partitions, more than now'
      '--config:a setting to set; may be repeated'
      '--unset:a setting to put back to its default; may be repeated'
      '--json:print JSON'
      '--brokers:brokers to begin with (default: 127.0.0.1:9095, or VARVE_BROKERS)'
      '--tls-ca:authorities to trust, as PEM; switches TLS on'
      '--tls-cert:certificate to present, as PEM'
      '--tls-key:private key of the certificate, as PEM'
      '--help:show help') ;;
    'topic delete') found=() flags=(
      '--json:print JSON'
      '--brokers:brokers to begin with (default: 127.0.0.1:9095, or VARVE_BROKERS)'
      '--tls-ca:authorities to trust, as PEM; switches TLS on'
      '--tls-cert:certificate to present, as PEM'
      '--tls-key:private key of the certificate, as PEM'
      '--help:show help') ;;
    'produce') found=() flags=(
      '--file:read this file instead'
      '--key-separator:what stands between key and value in a line'
      '--compression:how batches are compressed'
      '--acks:who must have a record: all replicas in sync, or their leader'
      '--partition:write to this partition only'
      '--timeout:how long to retry a record'
      '--json:print {"line":…,"partition":…,"offset":…} per acknowledged record'
      '--brokers:brokers to begin with (default: 127.0.0.1:9095, or VARVE_BROKERS)'
      '--tls-ca:authorities to trust, as PEM; switches TLS on'
      '--tls-cert:certificate to present, as PEM'
      '--tls-key:private key of the certificate, as PEM'
      '--help:show help') ;;
    'consume') found=() flags=(
      '--partition:read this partition only'
      '--from:earliest, latest, an offset, a time (2026-01-31T12:00:00Z, 1769860800000ms) or how long ago (-5m) (default: latest, or earliest with --until-end)'
      '--until-end:stop after the last record that was there at the start'
      '--max-records:stop after so many'
      '--format:the bytes of the value and a line feed, or a line of JSON'
      '--key-separator:with the value format: print the key and this first'
      '--brokers:brokers to begin with (default: 127.0.0.1:9095, or VARVE_BROKERS)'
      '--tls-ca:authorities to trust, as PEM; switches TLS on'
      '--tls-cert:certificate to present, as PEM'
      '--tls-key:private key of the certificate, as PEM'
      '--help:show help') ;;
    'offsets') found=() flags=(
      '--json:print JSON'
      '--brokers:brokers to begin with (default: 127.0.0.1:9095, or VARVE_BROKERS)'
      '--tls-ca:authorities to trust, as PEM; switches TLS on'
      '--tls-cert:certificate to present, as PEM'
      '--tls-key:private key of the certificate, as PEM'
      '--help:show help') ;;
    'cluster') found=(
      'describe:show its id, controller and brokers') flags=(
      '--help:show help') ;;
    'cluster describe') found=() flags=(
      '--json:print JSON'
      '--brokers:brokers to begin with (default: 127.0.0.1:9095, or VARVE_BROKERS)'
      '--tls-ca:authorities to trust, as PEM; switches TLS on'
      '--tls-cert:certificate to present, as PEM'
      '--tls-key:private key of the certificate, as PEM'
      '--help:show help') ;;
    'quorum') found=(
      'describe:show the leader, the voters and observers, and how far each is'
      'add-voter:let a node vote that runs as an observer and has caught up'
      'remove-voter:take a node out of the quorum'
      'transfer:make another voter the leader') flags=(
      '--help:show help') ;;
    'quorum describe') found=() flags=(
      '--json:print JSON'
      '--brokers:brokers to begin with (default: 127.0.0.1:9095, or VARVE_BROKERS)'
      '--tls-ca:authorities to trust, as PEM; switches TLS on'
      '--tls-cert:certificate to present, as PEM'
      '--tls-key:private key of the certificate, as PEM'
      '--help:show help') ;;
    'quorum add-voter') found=() flags=(
      '--json:print JSON'
      '--brokers:brokers to begin with (default: 127.0.0.1:9095, or VARVE_BROKERS)'
      '--tls-ca:authorities to trust, as PEM; switches TLS on'
      '--tls-cert:certificate to present, as PEM'
      '--tls-key:private key of the certificate, as PEM'
      '--help:show help') ;;
    'quorum remove-voter') found=() flags=(
      '--force:also if those that answer are no majority of the voters that remain'
      '--json:print JSON'
      '--brokers:brokers to begin with (default: 127.0.0.1:9095, or VARVE_BROKERS)'
      '--tls-ca:authorities to trust, as PEM; switches TLS on'
      '--tls-cert:certificate to present, as PEM'
      '--tls-key:private key of the certificate, as PEM'
      '--help:show help') ;;
    'quorum transfer') found=() flags=(
      '--json:print JSON'
      '--brokers:brokers to begin with (default: 127.0.0.1:9095, or VARVE_BROKERS)'
      '--tls-ca:authorities to trust, as PEM; switches TLS on'
      '--tls-cert:certificate to present, as PEM'
      '--tls-key:private key of the certificate, as PEM'
      '--help:show help') ;;
    'log') found=(
      'dump:show the batches'
      'verify:check batches, indexes and snapshots'
      'adopt:make partitions of a Kafka this node'\''s, after their folders were copied in') flags=(
      '--help:show help') ;;
    'log dump') found=() flags=(
      '--records:show the records of each batch, too'
      '--json:print JSON'
      '--help:show help') ;;
    'log verify') found=() flags=(
      '--json:print JSON'
      '--help:show help') ;;
    'log adopt') found=() flags=(
      '--node-id:number of the node (default: 1)'
      '--json:print JSON'
      '--help:show help') ;;
    'snapshot') found=(
      'dump:show what the snapshot of the metadata holds, a record a line') flags=(
      '--help:show help') ;;
    'snapshot dump') found=() flags=(
      '--log:show the entries behind the snapshot, too'
      '--json:print a line of JSON for each'
      '--help:show help') ;;
    'config') found=(
      'docs:print all settings as a table in Markdown') flags=(
      '--help:show help') ;;
    'config docs') found=() flags=(
      '--help:show help') ;;
    'completion') found=(
      'bash'
      'zsh'
      'fish') flags=(
      '--help:show help') ;;
  esac
  [[ "$PREFIX" == -* ]] && found=("${flags[@]}")
  (( ${#found} )) && _describe varve found || _files
}
if [[ "${funcstack[1]}" == _varve ]]; then _varve "$@"; else compdef _varve varve; fi

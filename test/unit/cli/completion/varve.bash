# Completion of varve for bash. In ~/.bashrc: eval "$(varve completion bash)"
_varve() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD - 1]}"
  local place='' next words='' flags=''
  local -i i
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="${place:+$place }${COMP_WORDS[i]}"
    case "$next" in
      'start' | 'topic' | 'topic create' | 'topic list' | 'topic describe' | 'topic alter' | 'topic delete' | 'produce' | 'consume' | 'offsets' | 'log' | 'log dump' | 'log verify' | 'log adopt' | 'config' | 'config docs' | 'completion') place="$next" ;;
    esac
  done
  COMPREPLY=()
  case "$place $previous" in
    'start --data-dir' | 'start --grpc' | 'start --kafka' | 'start --http' | 'start --config' | 'start --set' | 'start --node-id' | 'topic create --partitions' | 'topic create --replication-factor' | 'topic create --config' | 'topic create --brokers' | 'topic create --tls-ca' | 'topic create --tls-cert' | 'topic create --tls-key' | 'topic list --brokers' | 'topic list --tls-ca' | 'topic list --tls-cert' | 'topic list --tls-key' | 'topic describe --brokers' | 'topic describe --tls-ca' | 'topic describe --tls-cert' | 'topic describe --tls-key' | 'topic alter --partitions' | 'topic alter --config' | 'topic alter --unset' | 'topic alter --brokers' | 'topic alter --tls-ca' | 'topic alter --tls-cert' | 'topic alter --tls-key' | 'topic delete --brokers' | 'topic delete --tls-ca' | 'topic delete --tls-cert' | 'topic delete --tls-key' | 'produce --file' | 'produce --key-separator' | 'produce --partition' | 'produce --timeout' | 'produce --brokers' | 'produce --tls-ca' | 'produce --tls-cert' | 'produce --tls-key' | 'consume --partition' | 'consume --from' | 'consume --max-records' | 'consume --key-separator' | 'consume --brokers' | 'consume --tls-ca' | 'consume --tls-cert' | 'consume --tls-key' | 'offsets --brokers' | 'offsets --tls-ca' | 'offsets --tls-cert' | 'offsets --tls-key' | 'log adopt --node-id') return ;;
    'produce --compression') words='none gzip snappy lz4 zstd' ;;
    'produce --acks') words='all leader' ;;
    'consume --format') words='value json' ;;
    *)
      case "$place" in
        '') words='start topic produce consume offsets log config completion' flags='--version --help' ;;
        'start') words='' flags='--data-dir --grpc --kafka --http --config --set --insecure --node-id --json --help' ;;
        'topic') words='create list describe alter delete' flags='--help' ;;
        'topic create') words='' flags='--partitions --replication-factor --config --json --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'topic list') words='' flags='--json --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'topic describe') words='' flags='--json --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'topic alter') words='' flags='--partitions --config --unset --json --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'topic delete') words='' flags='--json --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'produce') words='' flags='--file --key-separator --compression --acks --partition --timeout --json --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'consume') words='' flags='--partition --from --until-end --max-records --format --key-separator --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'offsets') words='' flags='--json --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'log') words='dump verify adopt' flags='--help' ;;
        'log dump') words='' flags='--records --json --help' ;;
        'log verify') words='' flags='--json --help' ;;
        'log adopt') words='' flags='--node-id --json --help' ;;
        'config') words='docs' flags='--help' ;;
        'config docs') words='' flags='--help' ;;
        'completion') words='bash zsh fish' flags='--help' ;;
      esac
      [[ "$current" == -* ]] && words="$flags"
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _varve varve

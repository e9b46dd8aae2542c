# Completion of varve for bash. In ~/.bashrc: eval "$(varve completion bash)"
_varve() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD - 1]}"
  local place='' next words='' flags=''
  local -i i
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="${place:+$place }${COMP_WORDS[i]}"
    case "$next" in
      'start' | 'local' | 'topic' | 'topic create' | 'topic list' | 'topic describe' | 'topic alter' | 'topic delete' | 'produce' | 'consume' | 'offsets' | 'cluster' | 'cluster describe' | 'quorum' | 'quorum describe' | 'quorum add-voter' | 'quorum remove-voter' | 'quorum transfer' | 'log' | 'log dump' | 'log verify' | 'log adopt' | 'snapshot' | 'snapshot dump' | 'config' | 'config docs' | 'completion') place="$next" ;;
    esac
  done
  COMPREPLY=()
  case "$place $previous" in
    'start --data-dir' | 'start --grpc' | 'start --kafka' | 'start --http' | 'start --config' | 'start --set' | 'start --node-id' | 'start --voters' | 'start --peer' | 'start --rack' | 'local --nodes' | 'local --data-dir' | 'local --config' | 'local --set' | 'topic create --partitions' | 'topic create --replication-factor' | 'topic create --config' | 'topic create --brokers' | 'topic create --tls-ca' | 'topic create --tls-cert' | 'topic create --tls-key' | 'topic list --brokers' | 'topic list --tls-ca' | 'topic list --tls-cert' | 'topic list --tls-key' | 'topic describe --brokers' | 'topic describe --tls-ca' | 'topic describe --tls-cert' | 'topic describe --tls-key' | 'topic alter --partitions' | 'topic alter --config' | 'topic alter --unset' | 'topic alter --brokers' | 'topic alter --tls-ca' | 'topic alter --tls-cert' | 'topic alter --tls-key' | 'topic delete --brokers' | 'topic delete --tls-ca' | 'topic delete --tls-cert' | 'topic delete --tls-key' | 'produce --file' | 'produce --key-separator' | 'produce --partition' | 'produce --timeout' | 'produce --brokers' | 'produce --tls-ca' | 'produce --tls-cert' | 'produce --tls-key' | 'consume --partition' | 'consume --from' | 'consume --max-records' | 'consume --key-separator' | 'consume --brokers' | 'consume --tls-ca' | 'consume --tls-cert' | 'consume --tls-key' | 'offsets --brokers' | 'offsets --tls-ca' | 'offsets --tls-cert' | 'offsets --tls-key' | 'cluster describe --brokers' | 'cluster describe --tls-ca' | 'cluster describe --tls-cert' | 'cluster describe --tls-key' | 'quorum describe --brokers' | 'quorum describe --tls-ca' | 'quorum describe --tls-cert' | 'quorum describe --tls-key' | 'quorum add-voter --brokers' | 'quorum add-voter --tls-ca' | 'quorum add-voter --tls-cert' | 'quorum add-voter --tls-key' | 'quorum remove-voter --brokers' | 'quorum remove-voter --tls-ca' | 'quorum remove-voter --tls-cert' | 'quorum remove-voter --tls-key' | 'quorum transfer --brokers' | 'quorum transfer --tls-ca' | 'quorum transfer --tls-cert' | 'quorum transfer --tls-key' | 'log adopt --node-id') return ;;
    'produce --compression') words='none gzip snappy lz4 zstd' ;;
    'produce --acks') words='all leader' ;;
    'consume --format') words='value json' ;;
    *)
      case "$place" in
        '') words='start local topic produce consume offsets cluster quorum log snapshot config completion' flags='--version --help' ;;
        'start') words='' flags='--data-dir --grpc --kafka --http --config --set --insecure --node-id --voters --peer --rack --json --help' ;;
        'local') words='' flags='--nodes --data-dir --config --set --help' ;;
        'topic') words='create list describe alter delete' flags='--help' ;;
        'topic create') words='' flags='--partitions --replication-factor --config --json --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'topic list') words='' flags='--json --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'topic describe') words='' flags='--json --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'topic alter') words='' flags='--partitions --config --unset --json --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'topic delete') words='' flags='--json --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'produce') words='' flags='--file --key-separator --compression --acks --partition --timeout --json --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'consume') words='' flags='--partition --from --until-end --max-records --format --key-separator --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'offsets') words='' flags='--json --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'cluster') words='describe' flags='--help' ;;
        'cluster describe') words='' flags='--json --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'quorum') words='describe add-voter remove-voter transfer' flags='--help' ;;
        'quorum describe') words='' flags='--json --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'quorum add-voter') words='' flags='--json --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'quorum remove-voter') words='' flags='--force --json --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'quorum transfer') words='' flags='--json --brokers --tls-ca --tls-cert --tls-key --help' ;;
        'log') words='dump verify adopt' flags='--help' ;;
        'log dump') words='' flags='--records --json --help' ;;
        'log verify') words='' flags='--json --help' ;;
        'log adopt') words='' flags='--node-id --json --help' ;;
        'snapshot') words='dump' flags='--help' ;;
        'snapshot dump') words='' flags='--log --json --help' ;;
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

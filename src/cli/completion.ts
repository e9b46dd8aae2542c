import type { Command, Option } from 'commander';

export type Shell = 'bash' | 'zsh' | 'fish';

/** What can follow a command. */
interface Place {
  /** The commands before it, without the name of the program: `topic create`. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  /** The values of an argument that has only these. */
  readonly choices: readonly string[];
  readonly options: readonly PlaceOption[];
}

interface PlaceOption {
  /** With both dashes. */
  readonly flag: string;
  readonly description: string;
  readonly takesValue: boolean;
  /** The values there are; none if it is a file or free text. */
  readonly choices: readonly string[];
}

/** A script that completes commands, options and their values, made from the tree of commands. */
export function completionScript(shell: Shell, program: Command): string {
  const places = placesOf(program, '');
  switch (shell) {
    case 'bash':
      return bashScript(places);
    case 'zsh':
      return zshScript(places);
    case 'fish':
      return fishScript(places);
  }
}

function placesOf(command: Command, path: string): Place[] {
  const place: Place = {
    path,
    commands: command.commands.map((child) => ({
      name: child.name(),
      description: child.description(),
    })),
    choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    options: [...command.options.map(placeOption), HELP],
  };
  const deeper = command.commands.flatMap((child) =>
    placesOf(child, `${path} ${child.name()}`.trim()),
  );
  return [place, ...deeper];
}

const HELP: PlaceOption = {
  flag: '--help',
  description: 'show help',
  takesValue: false,
  choices: [],
};

const placeOption = ({ long, description, required, argChoices }: Option): PlaceOption => ({
  flag: long ?? '',
  description,
  takesValue: required,
  choices: argChoices ?? [],
});

/** The words that can follow and are no options. */
const wordsOf = ({ commands, choices }: Place): string[] => [
  ...commands.map(({ name }) => name),
  ...choices,
];

const flagsOf = ({ options }: Place): string[] => options.map(({ flag }) => flag);

const pathsOf = (places: readonly Place[]): string[] =>
  places.map(({ path }) => path).filter((path) => path !== '');

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Patterns of `case`: the options whose value is a file or free text, with their commands. */
const freeValues = (places: readonly Place[]): string =>
  valuesOf(places)
    .filter(({ choices }) => choices.length === 0)
    .map(({ at }) => at)
    .join(' | ');

/** The options that have only some values. */
const chosenValues = (places: readonly Place[]) =>
  valuesOf(places).filter(({ choices }) => choices.length > 0);

const valuesOf = (places: readonly Place[]) =>
  places.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(({ flag, choices }) => ({ at: quoted(`${path} ${flag}`), choices: choices.join(' ') })),
  );

const bashScript = (places: readonly Place[]): string => `\
# Completion of varve for bash. In ~/.bashrc: eval "$(varve completion bash)"
_varve() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}"
  local place='' next words='' flags=''
  local -i i
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${place:+$place }\${COMP_WORDS[i]}"
    case "$next" in
      ${pathsOf(places).map(quoted).join(' | ')}) place="$next" ;;
    esac
  done
  COMPREPLY=()
  case "$place $previous" in
    ${freeValues(places)}) return ;;
${chosenValues(places)
  .map(({ at, choices }) => `    ${at}) words=${quoted(choices)} ;;`)
  .join('\n')}
    *)
      case "$place" in
${places.map((place) => `        ${bashWords(place)} ;;`).join('\n')}
      esac
      [[ "$current" == -* ]] && words="$flags"
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _varve varve
`;

const bashWords = (place: Place): string => {
  const [words, flags] = [wordsOf(place), flagsOf(place)].map((all) => quoted(all.join(' ')));
  return `${quoted(place.path)}) words=${words} flags=${flags}`;
};

const zshScript = (places: readonly Place[]): string => `\
#compdef varve
# Completion of varve for zsh. In ~/.zshrc, after compinit: source <(varve completion zsh)
_varve() {
  local place='' next word
  local -a found flags
  for word in "\${(@)words[2,CURRENT-1]}"; do
    next="\${place:+$place }$word"
    case "$next" in
      ${pathsOf(places).map(quoted).join(' | ')}) place="$next" ;;
    esac
  done
  case "$place \${words[CURRENT-1]}" in
    ${freeValues(places)}) _files; return ;;
${chosenValues(places)
  .map(({ at, choices }) => `    ${at}) compadd ${choices}; return ;;`)
  .join('\n')}
  esac
  case "$place" in
${places.map(zshWords).join('\n')}
  esac
  [[ "$PREFIX" == -* ]] && found=("\${flags[@]}")
  (( \${#found} )) && _describe varve found || _files
}
if [[ "\${funcstack[1]}" == _varve ]]; then _varve "$@"; else compdef _varve varve; fi
`;

const zshWords = ({ path, commands, choices, options }: Place): string => {
  const found = [...commands.map(({ name, description }) => `${name}:${description}`), ...choices];
  const flags = options.map(({ flag, description }) => `${flag}:${description}`);
  const list = (words: readonly string[]) =>
    words.map((word) => `\n      ${quoted(word)}`).join('');
  return `    ${quoted(path)}) found=(${list(found)}) flags=(${list(flags)}) ;;`;
};

const fishScript = (places: readonly Place[]): string => `\
# Completion of varve for fish. varve completion fish > ~/.config/fish/completions/varve.fish
function __varve_at
    set -l place ''
    for word in (commandline -opc)[2..-1]
        set -l next (string trim -- "$place $word")
        if contains -- "$next" ${pathsOf(places).map(fishQuoted).join(' ')}
            set place "$next"
        end
    end
    test "$place" = "$argv[1]"
end
${places.flatMap(fishLines).join('\n')}
`;

function fishLines({ path, commands, choices, options }: Place): string[] {
  const at = `complete -c varve -n ${fishQuoted(`__varve_at ${fishQuoted(path)}`)}`;
  return [
    ...commands.map(({ name, description }) => `${at} -f -a ${name} -d ${fishQuoted(description)}`),
    ...choices.map((choice) => `${at} -f -a ${choice}`),
    ...options.map((option) => `${at} ${fishOption(option)} -d ${fishQuoted(option.description)}`),
  ];
}

function fishOption({ flag, takesValue, choices }: PlaceOption): string {
  const name = `-l ${flag.slice(2)}`;
  if (!takesValue) return name;
  return choices.length === 0 ? `${name} -r` : `${name} -x -a ${fishQuoted(choices.join(' '))}`;
}

/** In fish's single quotes a backslash escapes itself and the quote. */
const fishQuoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

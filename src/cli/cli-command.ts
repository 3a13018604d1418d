import { Command } from 'commander';
import { CommandError, EXIT } from './exit.js';

/** Commands that decide or delete something: never suggested for a mistyped name. */
const NEVER_SUGGESTED = ['approve', 'delete', 'erase', 'readmit', 'redeliver', 'reject', 'remove', 'rotate'];

/** Command of the program: it neither exits nor prints errors, but throws each usage error as a `CommandError`. */
export class CliCommand extends Command {
  constructor(name?: string) {
    super(name);
    this.exitOverride();
  }

  override createCommand(name?: string): Command {
    return new CliCommand(name);
  }

  /** Called by commander with its own sentence for each usage error. */
  override error(message: string, options: { readonly code?: string } = {}): never {
    const sentence = describeUsageError(this, message.replace(/^error: /, ''), options.code ?? '');
    throw new CommandError(`${sentence} See \`${getPath(this)} --help\`.`, EXIT.usage);
  }
}

function getPath(command: Command): string {
  return command.parent === null ? command.name() : `${getPath(command.parent)} ${command.name()}`;
}

function describeUsageError(command: Command, message: string, code: string): string {
  switch (code) {
    case 'commander.missingArgument':
    case 'commander.missingMandatoryOptionValue':
      return describeMissing(command);
    case 'commander.unknownOption':
      return describeUnknown('option', findOptionName(message), message);
    case 'commander.unknownCommand':
      return describeUnknown('command', /'([^'=]*)/.exec(message)?.[1] ?? '', message);
    case 'commander.invalidArgument':
      return describeInvalidValue(message);
    case 'commander.optionMissingArgument':
      return message.replace(/^option '(\S+)([^]*)' argument missing$/, '$1 needs a value: $1$2.');
    case 'commander.excessArguments':
      return message.replace(/^[^]* Expected (\d+) [^]* got (\d+)\.$/, 'Too many arguments: expected $1, got $2.');
    default:
      return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`.replace(/\.\.$/, '.');
  }
}

/** Names everything that is missing at once; an unknown option first, since its value would count as an argument. */
function describeMissing(command: Command): string {
  const unknown = command.args.find((argument) => /^-./.test(argument));
  if (unknown !== undefined) return describeUnknown('option', findOptionName(`'${unknown}'`), '');
  const missing = [
    ...command.registeredArguments.slice(command.args.length).filter(({ required }) => required),
    ...command.options.filter(
      (option) => option.mandatory && command.getOptionValue(option.attributeName()) === undefined,
    ),
  ];
  return `Missing ${missing.map((one) => ('flags' in one ? one.flags : `<${one.name()}>`)).join(', ')}.`;
}

/** Returns the option without its value, which may be a secret. */
function findOptionName(message: string): string {
  return /'(--[\w-]*|-.?)/.exec(message)?.[1] ?? '';
}

function describeUnknown(kind: 'option' | 'command', name: string, message: string): string {
  const [, listed = ''] = /\n\(Did you mean (?:one of )?([\w, -]+)\?\)$/.exec(message) ?? [];
  const similar = listed.split(', ').filter((one) => one !== '' && !NEVER_SUGGESTED.includes(one));
  const suggestion = similar.length === 0 ? '' : ` Did you mean ${similar.join(' or ')}?`;
  return `Unknown ${kind} ${name}.${suggestion}`;
}

/** Names the option and the rule, not the value. */
function describeInvalidValue(message: string): string {
  const [, option = '', rule = ''] = /^option '(\S+)[^]*' is invalid\. ([^]*)$/.exec(message) ?? [];
  return `${option} ${rule.replace(/^Allowed choices are /, 'must be one of ')}`;
}

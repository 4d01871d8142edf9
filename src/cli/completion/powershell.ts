import { type CompletionOption, optionsWithValue, PORT_NAMES } from './completion-words.js';

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const list = (texts: readonly string[]): string => `@(${texts.map(quote).join(', ')})`;

const table = (entries: readonly (readonly [key: string, value: string])[]): string =>
  `@{\n${entries.map(([key, value]) => `    ${quote(key)} = ${value}`).join('\n')}\n  }`;

/** A function that lists the names of the hosts file and of SSH's known hosts. */
const KNOWN_HOSTS = `  function Get-KnownHosts {
    $folder = if ($env:SystemRoot) { "$env:SystemRoot/System32/drivers/etc" } else { '/etc' }
    Get-Content "$folder/hosts" -ErrorAction SilentlyContinue |
      ForEach-Object { ($_ -replace '#.*').Trim() -split '\\s+' | Select-Object -Skip 1 }
    Get-Content "$HOME/.ssh/known_hosts" -ErrorAction SilentlyContinue |
      Where-Object { $_ -notmatch '^[#|@]' } |
      ForEach-Object { ($_ -split '\\s+')[0] -split ',' -replace '^\\[|\\]:\\d+$' } |
      Where-Object { $_ -notmatch '[*?!:]' }
  }`;

/** The script for PowerShell 5.1 and later. */
export function powershellScript(options: readonly CompletionOption[]): string {
  const { required, optional } = optionsWithValue(options);
  const choices = options.flatMap(({ forms, value }) =>
    value?.kind === 'list' ? forms.map((form) => [form, list(value.choices)] as const) : [],
  );
  const files = options.filter(({ value }) => value?.kind === 'file');
  const described = options.flatMap(({ forms, summary }) =>
    forms.map((form) => [form, quote(summary)] as const),
  );
  return `# PowerShell completion for portping.
# In $PROFILE: portping --completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName portping -ScriptBlock {
  param($current, $commandAst, $cursor)
  $texts = ${table(described)}
  $choices = ${table(choices)}
  $forms = ${table(optional.map(({ name, form }) => [name, quote(form)]))}
  $required = ${list(required.flatMap(({ forms }) => forms))}
  $files = ${list(files.flatMap(({ forms }) => forms))}
  $ports = ${list(PORT_NAMES)}

${KNOWN_HOSTS}

  $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
    Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object { $_.Extent.Text })
  $context = 'host'
  for ($index = 0; $index -lt $words.Count; $index++) {
    $word = $words[$index]
    $last = $index + 1 -eq $words.Count
    if ($word -ceq '--') {
      if ($words -clike '--wait*') { return }
      if (-not $last) { $context = 'port' }
      break
    }
    elseif ($required -ccontains $word) { if ($last) { $context = $word }; $index++ }
    elseif ($forms.ContainsKey($word)) {
      if (-not $last -and $words[$index + 1] -match $forms[$word]) { $index++ }
    }
    elseif ($word -notlike '-*') { $context = 'port' }
  }

  if ($files -ccontains $context) { return }
  $found = if ($context -like '-*') { $choices[$context] }
  elseif ($current -match '^(--[^=]+)=') {
    $option = $Matches[1]
    $choices[$option] | ForEach-Object { "$option=$_" }
  }
  elseif ($current -like '-*') { $texts.Keys }
  else {
    if ($words.Count -gt 0 -and $forms.ContainsKey($words[-1])) { $choices[$words[-1]] }
    if ($context -eq 'host') { Get-KnownHosts } else { $ports }
  }
  $fitting = $found | Where-Object { $_ -and $_.StartsWith($current, 'Ordinal') }
  $fitting | Sort-Object -Unique | ForEach-Object {
    $text = if ($texts[$_]) { $texts[$_] } else { $_ }
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $text)
  }
}
`;
}

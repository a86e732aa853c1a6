// One setting has three names, and two of them follow from the third: the key `dataDir` of `lading.yaml` is the flag
// `--data-dir` and the environment variable `LADING_DATA_DIR`.

export function flagName(key: string): string {
  return `--${words(key).join('-')}`
}

export function environmentName(key: string): string {
  return `LADING_${words(key).join('_').toUpperCase()}`
}

function words(key: string): string[] {
  return key.split(/(?=[A-Z])/).map((word) => word.toLowerCase())
}

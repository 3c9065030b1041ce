# Completion of credtray for PowerShell: credtray completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName credtray -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $words = @()
    foreach ($element in ($commandAst.CommandElements | Select-Object -Skip 1)) {
        # What ends at the cursor is the word being completed; what follows it does not count.
        if ($element.Extent.EndOffset -ge $cursorPosition) { break }
        if ($element -is [System.Management.Automation.Language.StringConstantExpressionAst]) {
            $words += $element.Value
        } else {
            $words += $element.Extent.Text
        }
    }
    $words += ([string]$wordToComplete).Trim([char[]]@("'", '"'))

    $encoding = [Console]::OutputEncoding
    try {
        [Console]::OutputEncoding = New-Object System.Text.UTF8Encoding $false
        $env:_CREDTRAY_WORDS = $words -join "`n"
        $lines = @(& credtray __complete powershell 2>$null)
    } catch {
        return
    } finally {
        [Console]::OutputEncoding = $encoding
        Remove-Item Env:_CREDTRAY_WORDS -ErrorAction Ignore
    }
    if ($lines.Count -eq 0 -or $lines[0] -ne 'words') { return }  # PowerShell offers file names then

    foreach ($line in ($lines | Select-Object -Skip 1)) {
        $value, $help = $line -split "`t", 2
        $text = $value
        if ($text -notmatch '^[A-Za-z0-9_./=-][A-Za-z0-9_./=:+-]*$') { $text = "'" + $text.Replace("'", "''") + "'" }
        if (-not $help) { $help = $value }
        $kind = 'ParameterValue'
        if ($value.StartsWith('-')) { $kind = 'ParameterName' }
        [System.Management.Automation.CompletionResult]::new($text, $value, $kind, $help)
    }
}

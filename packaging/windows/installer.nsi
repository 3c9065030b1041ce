; The installer for one user, without administrator's rights: packaging/windows_installers.sh calls makensis.
; credtray-setup.exe /S installs silently, /LOGIN=1 with it also starts credtray at login, /D=FOLDER names another
; folder; uninstall.exe /S removes it, with /PURGE also what a person may want to keep. What is not copying is in
; installed.py.

Unicode true
Target amd64-unicode
RequestExecutionLevel user
ManifestDPIAware true
SetCompressor /SOLID ${COMPRESSION}
SetDateSave off
Name "credtray"
OutFile "${OUTPUT}"
InstallDir "$LOCALAPPDATA\Programs\credtray"
InstallDirRegKey HKCU "Software\credtray" "Folder"
Icon "${TREE}\credtray.ico"
UninstallIcon "${TREE}\credtray.ico"
BrandingText "credtray ${VERSION}"
VIProductVersion "${VERSION}.0"
VIAddVersionKey "ProductName" "credtray"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "Installs credtray for this user"
VIAddVersionKey "LegalCopyright" "MIT licence"

!include FileFunc.nsh
!include LogicLib.nsh
!include nsDialogs.nsh
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\credtray"

Page components
Page directory
Page instfiles
UninstPage custom un.askPurge un.notePurge
UninstPage uninstConfirm
UninstPage instfiles

ComponentText "credtray keeps AWS IAM Identity Center credentials fresh. It is installed for you alone."
InstallColors /windows
ShowUninstDetails show ; the last page names what stays
Var purge
Var box

Section "credtray" part_program
    SectionIn RO
    Call endAgent
    RMDir /r "$INSTDIR\python"
    SetOutPath "$INSTDIR"
    File /r "${TREE}\*"
    WriteUninstaller "$INSTDIR\uninstall.exe"
    WriteRegStr HKCU "Software\credtray" "Folder" "$INSTDIR"
    WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "credtray"
    WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
    WriteRegStr HKCU "${UNINSTALL}" "DisplayIcon" "$INSTDIR\credtray.ico"
    WriteRegStr HKCU "${UNINSTALL}" "Publisher" "The credtray authors"
    WriteRegStr HKCU "${UNINSTALL}" "InstallLocation" "$INSTDIR"
    WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
    WriteRegStr HKCU "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
    WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
    WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1
    WriteRegDWORD HKCU "${UNINSTALL}" "EstimatedSize" ${KILOBYTES}
    Push "add"
    Call finish
SectionEnd

Section /o "Start at login" part_login
    Push "add at-login"
    Call finish
SectionEnd

Section "Uninstall"
    ; Only a folder that is ours: the person may have chosen any.
    IfFileExists "$INSTDIR\installed.py" +3
    MessageBox MB_OK|MB_ICONSTOP "There is no credtray in $INSTDIR." /SD IDOK
    Abort
    nsExec::ExecToLog '"$INSTDIR\python\python.exe" -I -B "$INSTDIR\installed.py" remove $purge'
    Pop $0
    ${If} $0 != 0
        DetailPrint "Not everything could be removed from your home. What is left: see above."
    ${EndIf}
    SetDetailsPrint textonly ; thousands of lines would push away what is said above
    RMDir /r "$INSTDIR\python"
    Delete "$INSTDIR\credtray.exe"
    Delete "$INSTDIR\credtrayw.exe"
    Delete "$INSTDIR\docker-credential-credtray.exe"
    Delete "$INSTDIR\credtray.ico"
    Delete "$INSTDIR\installed.py"
    Delete "$INSTDIR\LICENSE.txt"
    Delete "$INSTDIR\uninstall.exe"
    RMDir "$INSTDIR"
    DeleteRegKey HKCU "${UNINSTALL}"
    DeleteRegValue HKCU "Software\credtray" "Folder"
    DeleteRegKey /ifempty HKCU "Software\credtray"
    SetDetailsPrint both
SectionEnd

Function endAgent
    IfFileExists "$INSTDIR\installed.py" 0 +3
    nsExec::ExecToLog '"$INSTDIR\python\python.exe" -I -B "$INSTDIR\installed.py" stop'
    Pop $0
FunctionEnd

Function finish
    Pop $1
    nsExec::ExecToLog '"$INSTDIR\python\python.exe" -I "$INSTDIR\installed.py" $1'
    Pop $0
    ${If} $0 != 0
        DetailPrint "installed.py $1 ended with $0: credtray is installed, but not all of its entries are."
    ${EndIf}
FunctionEnd

Function .onInit
    ${GetParameters} $R0
    ClearErrors
    ${GetOptions} $R0 "/LOGIN=" $R1
    ${If} $R1 == "1"
        SectionGetFlags ${part_login} $R2
        IntOp $R2 $R2 | 1
        SectionSetFlags ${part_login} $R2
    ${EndIf}
FunctionEnd

Function un.onInit
    ${GetParameters} $R0
    ClearErrors
    ${GetOptions} $R0 "/PURGE" $R1
    ${IfNot} ${Errors}
        StrCpy $purge "purge"
    ${EndIf}
FunctionEnd

Function un.askPurge
    nsDialogs::Create 1018
    Pop $0
    ${NSD_CreateLabel} 0 0 100% 30u "Uninstalling stops credtray and removes its keys and entries. Your settings, the \
        profiles that setup wrote, backups of your AWS files and what credtray remembers stay, unless you tick this:"
    Pop $0
    ${NSD_CreateCheckbox} 0 38u 100% 12u "&Remove these as well. Backups may hold old keys. This cannot be undone."
    Pop $box
    ${If} $purge != ""
        ${NSD_Check} $box
    ${EndIf}
    nsDialogs::Show
FunctionEnd

Function un.notePurge
    ${NSD_GetState} $box $0
    StrCpy $purge ""
    ${If} $0 == ${BST_CHECKED}
        StrCpy $purge "purge"
    ${EndIf}
FunctionEnd
